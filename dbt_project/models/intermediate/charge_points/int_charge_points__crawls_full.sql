-- The pulls of everything. One of which no location could be read was not understood, and is none: what it does not
-- name may well be there. An answer that landed twice is one.
with crawls as (

    select
        supplied_at,
        content_sha256,
        max(location_count) as location_count,
        max(evse_count) as evse_count
    from {{ ref('stg_charge_points__crawls') }}
    where is_full
    group by supplied_at, content_sha256

),

understood as (

    select distinct
        supplied_at,
        content_sha256
    from {{ ref('stg_charge_points__locations') }}

)

select
    crawls.supplied_at,
    crawls.content_sha256,
    crawls.evse_count
from crawls
left join understood
    on
        crawls.supplied_at = understood.supplied_at
        and crawls.content_sha256 = understood.content_sha256
where coalesce(crawls.location_count, 0) = 0 or understood.supplied_at is not null
