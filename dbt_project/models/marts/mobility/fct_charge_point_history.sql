-- One question gives the stock of any moment since the first pull: what was valid then and is in stock.
with periods as (

    select * from {{ ref('int_charge_points__evse_periods') }}

),

bands as (

    select * from {{ ref('int_charge_points__cpe_bands') }}

),

factors as (

    select * from {{ ref('cpe_access_factors') }}

),

cities as (

    select * from {{ ref('city') }}

)

select
    periods.evse_key,
    periods.valid_from_at,
    timezone(cities.time_zone, periods.valid_from_at)::date as date_key,
    periods.valid_to_at,
    periods.missing_since_at,
    periods.country_code,
    periods.party_id,
    periods.location_id,
    periods.evse_uid,
    periods.status,
    periods.status not in ('REMOVED', 'PLANNED') as is_in_stock,
    periods.is_in_municipality,
    periods.sector_id as sector_area_id,
    periods.operator_name,
    periods.is_open_24_7,
    periods.hours_min_per_day,
    periods.access_class,
    periods.power_source,
    periods.power_kw,
    periods.last_updated_at,
    by_default.factor * default_bands.weight as cpe,
    by_control.factor * control_bands.weight as cpe_mow2024
from periods
cross join cities
{{ weighed_both_ways('periods') }}
order by periods.evse_key, periods.valid_from_at
