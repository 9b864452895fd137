select
    country_code,
    party_id,
    location_id,
    is_published,
    latitude,
    longitude,
    parking_type,
    operator_name,
    is_open_24_7,
    last_updated_at,
    last_updated_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('charge_points', 'locations') }}
