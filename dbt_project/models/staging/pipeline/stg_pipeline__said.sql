select
    target_id,
    status,
    status_nl,
    former_status_nl,
    method_changed,
    as_of_date,
    method_version,
    definition_version
from {{ source('pipeline', 'said') }}
