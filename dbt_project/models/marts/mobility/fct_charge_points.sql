with evses as (

    select * from {{ ref('int_charge_points__evses_live') }}

),

locations as (

    select * from {{ ref('int_charge_points__locations_current') }}

),

-- the connectors of one EVSE are alternatives: the strongest one is its power
powers as (

    select
        country_code,
        party_id,
        location_id,
        evse_uid,
        max(power_kw) as power_kw,
        arg_max(is_power_declared, power_kw) as is_power_declared
    from {{ ref('int_charge_points__connector_power') }}
    group by country_code, party_id, location_id, evse_uid

),

weights as (

    select * from {{ ref('cpe_weights') }}

),

cities as (

    select * from {{ ref('city') }}

),

powered as (

    select
        evses.evse_key,
        evses.country_code,
        evses.party_id,
        evses.location_id,
        evses.evse_uid,
        cities.area_id,
        evses.status,
        locations.operator_name,
        locations.parking_type,
        powers.is_power_declared,
        locations.is_open_24_7,
        locations.latitude,
        locations.longitude,
        coalesce(powers.power_kw, 0) as power_kw,
        -- other and unknown opening hours count half
        case
            when not locations.is_published or locations.parking_type = 'ALONG_MOTORWAY' then 0.0
            when locations.is_open_24_7 then 1.0
            else 0.5
        end::double as access_factor,
        evses.last_updated_at,
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

)

select
    powered.evse_key,
    powered.country_code,
    powered.party_id,
    powered.location_id,
    powered.evse_uid,
    powered.area_id,
    powered.status,
    powered.operator_name,
    powered.parking_type,
    powered.latitude,
    powered.longitude,
    powered.is_open_24_7,
    powered.is_power_declared,
    powered.power_kw,
    powered.access_factor,
    by_default.weight as cpe_weight,
    powered.access_factor * by_default.weight as cpe,
    powered.access_factor * by_control.weight as cpe_mow2024,
    powered.last_updated_at,
    powered.known_at
from powered
inner join weights as by_default
    on
        by_default.method = 'cpt2022'
        and powered.power_kw >= by_default.kw_min_incl
        and powered.power_kw < coalesce(by_default.kw_max_excl, 'infinity'::double)
inner join weights as by_control
    on
        by_control.method = 'mow2024'
        and powered.power_kw >= by_control.kw_min_incl
        and powered.power_kw < coalesce(by_control.kw_max_excl, 'infinity'::double)
order by powered.evse_key
