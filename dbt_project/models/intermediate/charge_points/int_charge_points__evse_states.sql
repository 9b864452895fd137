-- What each delivery says of a record of a charge point: its status, its power, and its location as last accepted until
-- then.
with evses as (

    select * from {{ ref('int_charge_points__evses_keyed') }}

),

located as (

    select
        evses.*,
        case
            when locations.location_id is not null
                then
                    struct_pack(
                        is_published := locations.is_published,
                        parking_type := locations.parking_type,
                        is_open_24_7 := locations.is_open_24_7,
                        hours_min_per_day := locations.hours_min_per_day,
                        is_in_municipality := locations.is_in_municipality,
                        sector_id := locations.sector_id,
                        operator_name := locations.operator_name
                    )
        end as place
    from evses
    left join {{ ref('int_charge_points__locations_stamped') }} as locations
        on
            evses.country_code = locations.country_code
            and evses.party_id = locations.party_id
            and evses.location_id = locations.location_id
            and evses.supplied_at = locations.supplied_at
            and evses.content_sha256 = locations.content_sha256

),

-- a location that was refused says nothing new: the one before stands
filled as (

    select
        * exclude (place),
        last_value(place ignore nulls) over (
            partition by country_code, party_id, location_id, evse_uid
            order by supplied_at, content_sha256
            rows between unbounded preceding and current row
        ) as place
    from located

),

spoken as (

    -- of two answers of one moment the one that changed last
    select *
    from filled
    qualify row_number() over (
        partition by country_code, party_id, location_id, evse_uid, supplied_at
        order by last_updated_at desc, content_sha256 desc
    ) = 1

)

select
    spoken.evse_key,
    spoken.country_code,
    spoken.party_id,
    spoken.location_id,
    spoken.evse_uid,
    spoken.status,
    coalesce(powers.power_kw, 0) as power_kw,
    powers.power_source,
    spoken.place.is_open_24_7,
    spoken.place.hours_min_per_day,
    spoken.place.is_in_municipality,
    spoken.place.sector_id,
    spoken.place.operator_name,
    {{ charge_point_access_class(
        'spoken.place.is_published', 'spoken.place.parking_type', 'spoken.parking_restrictions',
        'spoken.place.is_open_24_7', 'spoken.place.hours_min_per_day'
    ) }} as access_class,
    spoken.last_updated_at,
    spoken.supplied_at,
    spoken.content_sha256
from spoken
left join {{ ref('int_charge_points__evse_power') }} as powers
    on
        spoken.country_code = powers.country_code
        and spoken.party_id = powers.party_id
        and spoken.location_id = powers.location_id
        and spoken.evse_uid = powers.evse_uid
        and spoken.supplied_at = powers.supplied_at
        and spoken.content_sha256 = powers.content_sha256
