-- A value under embargo is not there yet: not before the city day of the build, or what the source told later.
with observations as (

    select * from {{ ref('stg_indicators__observations') }}

),

builds as (

    select as_of_date
    from {{ ref('stg_pipeline__build') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'indicators'

),

moments as (

    select
        greatest(
            timezone(cities.time_zone, builds.as_of_date::timestamp),
            sources_complete.complete_until
        ) as shown_until
    from cities
    cross join builds
    left join sources_complete
        on true

)

select observations.*
from observations
cross join moments
where observations.embargo_until_at is null or observations.embargo_until_at <= moments.shown_until
