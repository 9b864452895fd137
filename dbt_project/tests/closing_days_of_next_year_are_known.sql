{{ config(tags=['data']) }}

-- a term that runs into January needs the closing days of the new year: told from December on, while there is time
with builds as (

    select {{ as_of_date('as_of_date') }} as as_of_date from {{ ref('stg_pipeline__build') }}

),

last_closing_days as (

    select max(closing_date) as last_closing_date from {{ ref('closing_days') }}

)

select
    builds.as_of_date,
    last_closing_days.last_closing_date
from builds
cross join last_closing_days
where
    month(builds.as_of_date) = 12
    and year(last_closing_days.last_closing_date) <= year(builds.as_of_date)
