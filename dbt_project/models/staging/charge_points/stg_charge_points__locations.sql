select
    country_code,
    party_id,
    location_id,
    is_published,
    latitude,
    longitude,
    upper(parking_type) as parking_type,
    operator_name,
    is_open_24_7,
    hours_min_per_day,
    municipality_id,
    sector_id,
    is_in_municipality,
    -- what changes after it was sent would outdate every true change until then
    least(last_updated_at, supplied_at) as last_updated_at,
    last_updated_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('charge_points', 'locations') }}
