select
    target_id,
    role,
    department_id,
    valid_from,
    valid_to
from {{ ref('target_owners') }}
order by target_id, role, valid_from
