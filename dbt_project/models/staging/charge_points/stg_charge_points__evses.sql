select
    country_code,
    party_id,
    location_id,
    evse_uid,
    evse_id,
    status,
    parking_restrictions,
    last_updated_at,
    last_updated_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('charge_points', 'evses') }}
