-- From when to when a record of a charge point is named. The first full crawl without it ends its period; when it is
-- named again before a second one misses it too, it was there all along, else a new period begins.
with seen as (

    select
        sightings.*,
        deliveries.is_full,
        deliveries.full_crawls_until
    from {{ ref('int_charge_points__sightings') }} as sightings
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
        seen.*,
        -- full crawls after this sighting and before the next one
        coalesce(
            lead(seen.full_crawls_until - seen.is_full::bigint) over by_time, last_crawl.full_crawls_count
        ) - seen.full_crawls_until as missed_crawls
    from seen
    cross join last_crawl
    window by_time as (
        partition by seen.country_code, seen.party_id, seen.location_id, seen.evse_uid
        order by seen.supplied_at
    )

),

numbered as (

    select
        followed.*,
        full_crawls.supplied_at as first_missed_at,
        coalesce(
            sum((followed.missed_crawls >= 2)::bigint) over (
                partition by followed.country_code, followed.party_id, followed.location_id, followed.evse_uid
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
    country_code,
    party_id,
    location_id,
    evse_uid,
    period_number,
    min(supplied_at) as present_from_at,
    case when arg_max(missed_crawls, supplied_at) > 0 then arg_max(first_missed_at, supplied_at) end as present_to_at,
    -- missed once, so far
    arg_max(missed_crawls, supplied_at) = 1 as is_in_doubt
from numbered
group by country_code, party_id, location_id, evse_uid, period_number
