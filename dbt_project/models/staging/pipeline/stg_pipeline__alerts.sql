select
    department_id,
    target_id,
    topic,
    status,
    outcome,
    reason,
    first_decided_at,
    last_decided_at,
    builds,
    held_until,
    sent_at
from {{ source('pipeline', 'alerts') }}
