{{ config(materialized='table') }}

-- From when to when a charge point stood as it did: one period at a time, whatever its operator sends. Of the records
-- that name it at a moment the one changed last speaks, also when it says that the charge point is gone; of two that
-- changed at one moment the one the city saw last, for a charge point may move to another location without a word.
with periods as (

    select * from {{ ref('int_charge_points__record_periods') }}

),

bounds as (

    select
        evse_key,
        valid_from_at as from_at
    from periods
    union
    select
        evse_key,
        valid_to_at as from_at
    from periods
    where valid_to_at is not null

),

moments as (

    select
        *,
        lead(from_at) over (partition by evse_key order by from_at) as to_at
    from bounds

),

records as (

    select distinct
        evse_key,
        country_code,
        party_id,
        location_id,
        evse_uid
    from periods

),

asked as (

    select
        records.*,
        moments.from_at,
        moments.to_at
    from moments
    inner join records on moments.evse_key = records.evse_key

),

-- the periods of one record do not overlap, so the last that began is the only one that may hold
spoken as (

    select
        periods.*,
        asked.from_at,
        asked.to_at
    from asked
    asof inner join periods
        on
            asked.evse_key = periods.evse_key
            and asked.country_code = periods.country_code
            and asked.party_id = periods.party_id
            and asked.location_id = periods.location_id
            and asked.evse_uid = periods.evse_uid
            and asked.from_at >= periods.valid_from_at
    where periods.valid_to_at is null or asked.from_at < periods.valid_to_at
    qualify row_number() over (
        partition by asked.evse_key, asked.from_at
        order by
            periods.last_updated_at desc,
            periods.supplied_at desc,
            periods.country_code asc,
            periods.party_id asc,
            periods.location_id asc,
            periods.evse_uid asc
    ) = 1

),

hashed as (

    select
        *,
        hash(
            country_code, party_id, location_id, evse_uid, status, power_kw, power_source, is_open_24_7,
            hours_min_per_day, is_in_municipality, sector_id, operator_name, access_class
        ) as state_hash
    from spoken

),

compared as (

    select
        *,
        coalesce(
            lag(state_hash) over by_moment != state_hash or lag(to_at) over by_moment != from_at, true
        ) as is_change
    from hashed
    window by_moment as (partition by evse_key order by from_at)

),

numbered as (

    select
        *,
        sum(is_change::bigint) over (partition by evse_key order by from_at) as period_number
    from compared

),

merged as (

    select
        evse_key,
        min(from_at) as valid_from_at,
        arg_max_null(to_at, from_at) as valid_to_at,
        country_code,
        party_id,
        location_id,
        evse_uid,
        status,
        power_kw,
        power_source,
        is_open_24_7,
        hours_min_per_day,
        is_in_municipality,
        sector_id,
        operator_name,
        access_class,
        -- the stamp under which the city first saw it so
        min(last_updated_at) as last_updated_at,
        arg_max_null(missing_since_at, from_at) as record_missing_at
    from numbered
    group by
        evse_key, period_number, country_code, party_id, location_id, evse_uid, status, power_kw, power_source,
        is_open_24_7, hours_min_per_day, is_in_municipality, sector_id, operator_name, access_class

)

select
    * exclude (record_missing_at),
    -- another record may name it from then on
    case
        when
            record_missing_at = valid_to_at
            and lead(valid_from_at) over (partition by evse_key order by valid_from_at) is null
            then valid_to_at
    end as missing_since_at
from merged
