-- What a record said and from when to when, all by the moments of delivery: an operator's stamps may run out of order,
-- and only tell which of two versions is the newer one. What comes with an older stamp than was known already says
-- nothing new.
with states as (

    select
        *,
        hash(
            evse_key, status, power_kw, power_source, is_open_24_7, hours_min_per_day, is_in_municipality, sector_id,
            operator_name, access_class, last_updated_at
        ) as state_hash
    from {{ ref('int_charge_points__evse_states') }}

),

followed as (

    select
        *,
        max(last_updated_at) over (
            partition by country_code, party_id, location_id, evse_uid
            order by supplied_at
            rows between unbounded preceding and 1 preceding
        ) as newest_until_then_at
    from states

),

newer as (

    select
        *,
        lag(state_hash) over (
            partition by country_code, party_id, location_id, evse_uid order by supplied_at
        ) as earlier_hash
    from followed
    where newest_until_then_at is null or last_updated_at >= newest_until_then_at

),

versions as (

    select
        *,
        lead(supplied_at) over (
            partition by country_code, party_id, location_id, evse_uid order by supplied_at
        ) as replaced_at
    from newer
    where earlier_hash is null or earlier_hash != state_hash

),

presence as (

    select * from {{ ref('int_charge_points__record_presence') }}

)

select
    versions.country_code,
    versions.party_id,
    versions.location_id,
    versions.evse_uid,
    versions.evse_key,
    versions.status,
    versions.power_kw,
    versions.power_source,
    versions.is_open_24_7,
    versions.hours_min_per_day,
    versions.is_in_municipality,
    versions.sector_id,
    versions.operator_name,
    versions.access_class,
    versions.last_updated_at,
    versions.supplied_at,
    greatest(versions.supplied_at, presence.present_from_at) as valid_from_at,
    least(versions.replaced_at, presence.present_to_at) as valid_to_at,
    case when presence.is_in_doubt and versions.replaced_at is null then presence.present_to_at end as missing_since_at
from versions
inner join presence
    on
        versions.country_code = presence.country_code
        and versions.party_id = presence.party_id
        and versions.location_id = presence.location_id
        and versions.evse_uid = presence.evse_uid
        and (presence.present_to_at is null or versions.supplied_at < presence.present_to_at)
        and (versions.replaced_at is null or versions.replaced_at > presence.present_from_at)
