-- The ends of the months in which a full crawl looked at the whole stock, up to the last day of which the source tells
-- everything. Of a month in which nobody looked, nobody can say what stood there.
with full_crawls as (

    select
        crawls.supplied_at,
        crawls.content_sha256,
        last_day(timezone(cities.time_zone, crawls.supplied_at)::date) as month_end,
        cities.time_zone
    from {{ ref('int_charge_points__crawls_full') }} as crawls
    cross join {{ ref('city') }} as cities

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'charge_points'

),

last_of_month as (

    select
        full_crawls.*,
        timezone(full_crawls.time_zone, (full_crawls.month_end + 1)::timestamp) as measured_at
    from full_crawls
    inner join sources_complete
        on full_crawls.month_end < sources_complete.ref_date
    qualify row_number() over (
        partition by full_crawls.month_end
        order by full_crawls.supplied_at desc, full_crawls.content_sha256 desc
    ) = 1

),

crawl_completeness as (

    select * from {{ ref('int_charge_points__crawl_completeness') }}

),

known as (

    select
        last_of_month.month_end,
        max(crawls.known_at) as known_at
    from last_of_month
    inner join {{ ref('stg_charge_points__crawls') }} as crawls
        on last_of_month.measured_at > crawls.supplied_at
    group by last_of_month.month_end

)

select
    last_of_month.month_end,
    last_of_month.measured_at,
    -- a crawl that names none has nothing to be short of
    coalesce(crawl_completeness.completeness, 1.0) as completeness,
    known.known_at
from last_of_month
inner join known
    on last_of_month.month_end = known.month_end
left join crawl_completeness
    on
        last_of_month.supplied_at = crawl_completeness.supplied_at
        and last_of_month.content_sha256 = crawl_completeness.content_sha256
