select
    country_code,
    party_id,
    location_id,
    evse_uid,
    evse_id,
    status,
    upper(parking_restrictions) as parking_restrictions,
    -- what changes after it was sent would outdate every true change until then
    least(last_updated_at, supplied_at) as last_updated_at,
    last_updated_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('charge_points', 'evses') }}
