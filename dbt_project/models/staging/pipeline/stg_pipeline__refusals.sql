select
    batch_id,
    source as source_name,
    table_name,
    reason,
    reason_nl,
    rows as refused
from {{ source('pipeline', 'refusals') }}
