select
    source as source_name,
    complete_until,
    last_asked_at
from {{ source('pipeline', 'source_status') }}
