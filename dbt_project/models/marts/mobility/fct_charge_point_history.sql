-- A version begins when the operator says it did; what changed under an unchanged last_updated begins when the city saw
-- it. Versions follow the operator's order, never that of arrival.
with states as (

    select
        *,
        hash(
            status, power_kw, power_source, is_open_24_7, hours_min_per_day, is_in_municipality, access_class
        ) as state_hash
    from {{ ref('int_charge_points__evse_states') }}

),

followed as (

    select
        *,
        lag(last_updated_at) over by_version as earlier_updated_at,
        lag(state_hash) over by_version as earlier_hash
    from states
    window by_version as (partition by evse_key order by last_updated_at, supplied_at, content_sha256)

),

changes as (

    select
        *,
        case
            when earlier_updated_at is null or last_updated_at > earlier_updated_at then last_updated_at
            else supplied_at
        end as valid_from_at
    from followed
    where earlier_hash is null or earlier_hash != state_hash

),

versions as (

    select
        *,
        lead(valid_from_at) over (
            partition by evse_key order by last_updated_at, supplied_at, content_sha256
        ) as valid_to_at
    from changes

),

presence as (

    select * from {{ ref('int_charge_points__evse_presence') }}

),

present as (

    select
        versions.* exclude (valid_from_at, valid_to_at),
        -- the first period begins with what the operator says of the time before the city looked
        case
            when presence.period_number = 0 then versions.valid_from_at
            else greatest(versions.valid_from_at, presence.present_from_at)
        end as valid_from_at,
        least(versions.valid_to_at, presence.present_to_at) as valid_to_at,
        case
            when versions.valid_to_at is null and presence.present_to_at is null then presence.missing_since_at
        end as missing_since_at
    from versions
    inner join presence on versions.evse_key = presence.evse_key

),

bands as (

    select * from {{ ref('int_charge_points__cpe_bands') }}

),

factors as (

    select * from {{ ref('cpe_access_factors') }}

)

select
    present.evse_key,
    present.valid_from_at,
    present.valid_to_at,
    present.missing_since_at,
    present.country_code,
    present.party_id,
    present.location_id,
    present.evse_uid,
    present.status,
    present.status not in ('REMOVED', 'PLANNED') as is_in_stock,
    present.is_in_municipality,
    present.is_open_24_7,
    present.hours_min_per_day,
    present.access_class,
    present.power_source,
    present.power_kw,
    by_default.factor * default_bands.weight as cpe,
    by_control.factor * control_bands.weight as cpe_mow2024
from present
{{ weighed_both_ways('present') }}
where present.valid_to_at is null or present.valid_from_at < present.valid_to_at
order by present.evse_key, present.valid_from_at
