-- Every delivery that named a charge point, with the number of full crawls up to and including it.
with crawls as (

    select
        supplied_at,
        bool_or(is_full) as is_full
    from {{ ref('stg_charge_points__crawls') }}
    -- where the locations could not be read, nobody was asked about a charge point
    where is_full or location_count is not null
    group by supplied_at

),

moments as (

    select supplied_at from crawls
    union
    select supplied_at from {{ ref('int_charge_points__sightings') }}

)

select
    moments.supplied_at,
    coalesce(crawls.is_full, false) as is_full,
    sum(coalesce(crawls.is_full, false)::bigint) over (order by moments.supplied_at)::bigint as full_crawls_until
from moments
left join crawls on moments.supplied_at = crawls.supplied_at
