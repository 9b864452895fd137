select
    country_code,
    party_id,
    location_id,
    evse_uid,
    module as ocpi_module,
    hour_at,
    energy_kwh,
    session_count,
    charged_minutes,
    charge_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('charge_points', 'charge_sessions_hourly') }}
