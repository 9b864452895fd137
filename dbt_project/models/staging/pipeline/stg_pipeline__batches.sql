select
    batch_id,
    source as source_name,
    origin,
    supplied_at,
    known_at,
    complete_until,
    content_sha256,
    contract_version
from {{ source('pipeline', 'loaded_batches') }}
