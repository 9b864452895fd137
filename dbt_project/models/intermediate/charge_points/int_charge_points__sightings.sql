-- Which EVSE records a delivery names. One whose own row was refused is still named by its connectors: a status
-- nobody knows must not make a charge point disappear.
select
    country_code,
    party_id,
    location_id,
    evse_uid,
    supplied_at
from {{ ref('stg_charge_points__evses') }}
union
select
    country_code,
    party_id,
    location_id,
    evse_uid,
    supplied_at
from {{ ref('stg_charge_points__connectors') }}
