-- From when to when a charge point is there. A full crawl without it puts it in doubt; two in a row close it at the
-- first of them; when it comes back a new period begins.
with keyed as (

    select
        country_code,
        party_id,
        location_id,
        evse_uid,
        evse_key
    from {{ ref('int_charge_points__evses_current') }}

),

seen as (

    select distinct
        keyed.evse_key,
        sightings.supplied_at,
        deliveries.is_full,
        deliveries.full_crawls_until
    from {{ ref('int_charge_points__sightings') }} as sightings
    inner join keyed
        on
            sightings.country_code = keyed.country_code
            and sightings.party_id = keyed.party_id
            and sightings.location_id = keyed.location_id
            and sightings.evse_uid = keyed.evse_uid
    inner join {{ ref('int_charge_points__deliveries') }} as deliveries
        on sightings.supplied_at = deliveries.supplied_at

),

full_crawls as (

    select
        supplied_at,
        full_crawls_until
    from {{ ref('int_charge_points__deliveries') }}
    where is_full

),

last_crawl as (

    select max(full_crawls_until) as full_crawls_count
    from {{ ref('int_charge_points__deliveries') }}

),

followed as (

    select
        seen.evse_key,
        seen.supplied_at,
        seen.full_crawls_until,
        -- full crawls after this sighting and before the next one
        coalesce(
            lead(seen.full_crawls_until - seen.is_full::bigint) over by_time, last_crawl.full_crawls_count
        ) - seen.full_crawls_until as missed_crawls
    from seen
    cross join last_crawl
    window by_time as (partition by seen.evse_key order by seen.supplied_at)

),

numbered as (

    select
        followed.*,
        full_crawls.supplied_at as first_missed_at,
        coalesce(
            sum((followed.missed_crawls >= 2)::bigint) over (
                partition by followed.evse_key
                order by followed.supplied_at
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as period_number
    from followed
    -- the first crawl that missed it
    left join full_crawls
        on
            followed.missed_crawls > 0
            and followed.full_crawls_until + 1 = full_crawls.full_crawls_until

)

select
    evse_key,
    period_number,
    min(supplied_at) as present_from_at,
    max(first_missed_at) filter (where missed_crawls >= 2) as present_to_at,
    case when arg_max(missed_crawls, supplied_at) = 1 then arg_max(first_missed_at, supplied_at) end as missing_since_at
from numbered
group by evse_key, period_number
