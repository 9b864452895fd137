-- Every delivery that named a charge point, with the number of full crawls up to and including it.
with full_crawls as (

    select distinct supplied_at from {{ ref('int_charge_points__crawls_full') }}

),

moments as (

    select supplied_at from full_crawls
    union
    select supplied_at from {{ ref('int_charge_points__sightings') }}
    union
    select supplied_at from {{ ref('stg_charge_points__crawls') }}
    -- where the locations could not be read, nobody was asked about a charge point
    where not is_full and location_count is not null

)

select
    moments.supplied_at,
    full_crawls.supplied_at is not null as is_full,
    count(full_crawls.supplied_at) over (order by moments.supplied_at) as full_crawls_until
from moments
left join full_crawls on moments.supplied_at = full_crawls.supplied_at
