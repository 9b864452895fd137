select
    batch_id,
    source as source_name,
    table_name,
    received,
    accepted,
    quarantined,
    duplicate,
    superseded,
    is_full
from {{ source('pipeline', 'batch_counts') }}
