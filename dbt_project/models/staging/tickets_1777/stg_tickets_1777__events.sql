select
    service_request_id,
    event_id,
    event_type,
    status,
    actor_role,
    event_at,
    event_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('tickets_1777', 'events') }}
