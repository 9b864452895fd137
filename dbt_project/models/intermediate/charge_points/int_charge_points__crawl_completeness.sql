-- Of the EVSEs that each full crawl named, how many were let in with what they are counted by: one of which no
-- connector is readable has no power. What is planned or gone counts for nothing, and may come without.
with crawls as (

    select * from {{ ref('int_charge_points__crawls_full') }}
    where evse_count > 0

),

evses as (

    select * from {{ ref('stg_charge_points__evses') }}

),

powers as (

    select * from {{ ref('int_charge_points__evse_power') }}

),

counted as (

    select evses.*
    from evses
    left join powers
        on
            evses.country_code = powers.country_code
            and evses.party_id = powers.party_id
            and evses.location_id = powers.location_id
            and evses.evse_uid = powers.evse_uid
            and evses.supplied_at = powers.supplied_at
            and evses.content_sha256 = powers.content_sha256
    where powers.evse_uid is not null or evses.status in ('PLANNED', 'REMOVED')

),

evses_counted as (

    select
        supplied_at,
        content_sha256,
        count(*) as evses_accepted
    from counted
    group by supplied_at, content_sha256

)

select
    crawls.supplied_at,
    crawls.content_sha256,
    crawls.evse_count,
    coalesce(evses_counted.evses_accepted, 0) as evses_accepted,
    least(1.0, coalesce(evses_counted.evses_accepted, 0) / crawls.evse_count::double) as completeness
from crawls
left join evses_counted
    on
        crawls.supplied_at = evses_counted.supplied_at
        and crawls.content_sha256 = evses_counted.content_sha256
