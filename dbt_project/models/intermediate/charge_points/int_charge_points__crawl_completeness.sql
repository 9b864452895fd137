-- Of the EVSEs that the last full crawl named, how many were let in.
with crawls as (

    select * from {{ ref('stg_charge_points__crawls') }}
    where is_full and evse_count > 0

),

evses as (

    select * from {{ ref('stg_charge_points__evses') }}

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
    count(evses.evse_uid) as evses_accepted,
    least(1.0, count(evses.evse_uid) / last_crawls.evse_count::double) as completeness
from last_crawls
left join evses
    on
        last_crawls.supplied_at = evses.supplied_at
        and last_crawls.content_sha256 = evses.content_sha256
group by last_crawls.supplied_at, last_crawls.evse_count
