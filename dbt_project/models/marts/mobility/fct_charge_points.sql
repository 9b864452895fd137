with evses as (

    select * from {{ ref('int_charge_points__evses_live') }}

),

locations as (

    select * from {{ ref('int_charge_points__locations_current') }}

),

powers as (

    select * from {{ ref('int_charge_points__evse_power') }}

),

bands as (

    select * from {{ ref('int_charge_points__cpe_bands') }}

),

factors as (

    select * from {{ ref('cpe_access_factors') }}

),

cities as (

    select * from {{ ref('city') }}

),

powered as (

    select
        evses.evse_key,
        -- what stands there now was told by the newest delivery
        timezone(cities.time_zone, max(evses.supplied_at) over ())::date as date_key,
        evses.country_code,
        evses.party_id,
        evses.location_id,
        evses.evse_uid,
        cities.area_id,
        locations.sector_id as sector_area_id,
        locations.is_in_municipality,
        evses.status,
        locations.operator_name,
        locations.parking_type,
        locations.latitude,
        locations.longitude,
        locations.is_open_24_7,
        locations.hours_min_per_day,
        {{ charge_point_access_class(
            'locations.is_published', 'locations.parking_type', 'evses.parking_restrictions',
            'locations.is_open_24_7', 'locations.hours_min_per_day'
        ) }} as access_class,
        powers.power_source,
        coalesce(powers.has_power_mismatch, false) as has_power_mismatch,
        coalesce(powers.power_kw, 0) as power_kw,
        evses.last_updated_at,
        evses.first_seen_at,
        greatest(evses.known_at, locations.known_at) as known_at
    from evses
    cross join cities
    left join locations
        on
            evses.country_code = locations.country_code
            and evses.party_id = locations.party_id
            and evses.location_id = locations.location_id
    left join powers
        on
            evses.country_code = powers.country_code
            and evses.party_id = powers.party_id
            and evses.location_id = powers.location_id
            and evses.evse_uid = powers.evse_uid
            and evses.supplied_at = powers.supplied_at
            and evses.content_sha256 = powers.content_sha256

)

select
    powered.evse_key,
    powered.date_key,
    powered.country_code,
    powered.party_id,
    powered.location_id,
    powered.evse_uid,
    powered.area_id,
    powered.sector_area_id,
    powered.is_in_municipality,
    powered.status,
    powered.operator_name,
    powered.parking_type,
    powered.latitude,
    powered.longitude,
    powered.is_open_24_7,
    powered.hours_min_per_day,
    powered.access_class,
    powered.power_source,
    powered.has_power_mismatch,
    powered.power_kw,
    by_default.factor as access_factor,
    default_bands.weight as cpe_weight,
    by_default.factor * default_bands.weight as cpe,
    by_control.factor * control_bands.weight as cpe_mow2024,
    by_customers.factor * default_bands.weight as cpe_customers_half,
    powered.last_updated_at,
    powered.first_seen_at,
    powered.known_at
from powered
{{ weighed_both_ways('powered') }}
inner join factors as by_customers
    on
        by_customers.method = 'cpt2022_customers_half'
        and powered.access_class = by_customers.access_class
order by powered.evse_key
