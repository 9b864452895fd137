-- Of the EVSEs that the last full crawl named, how many were let in with what they are counted by: one of which no
-- connector is readable has no power. What is planned or gone counts for nothing, and may come without.
with crawls as (

    select * from {{ ref('stg_charge_points__crawls') }}
    where is_full and evse_count > 0

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

last_crawls as (

    select
        supplied_at,
        content_sha256,
        evse_count
    from crawls
    order by supplied_at desc, content_sha256 desc
    limit 1

)

select
    last_crawls.supplied_at,
    last_crawls.evse_count,
    count(counted.evse_uid) as evses_accepted,
    least(1.0, count(counted.evse_uid) / last_crawls.evse_count::double) as completeness
from last_crawls
left join counted
    on
        last_crawls.supplied_at = counted.supplied_at
        and last_crawls.content_sha256 = counted.content_sha256
group by last_crawls.supplied_at, last_crawls.evse_count
