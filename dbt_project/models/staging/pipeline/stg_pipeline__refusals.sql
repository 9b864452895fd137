select
    batch_id,
    source as source_name,
    table_name,
    -- what an earlier version loaded bears no code
    coalesce(reason_code, reason) as reason_code,
    coalesce(column_name, '') as column_name,
    reason,
    reason_nl,
    rows as refused
from {{ source('pipeline', 'refusals') }}
