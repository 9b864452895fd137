-- The month's ends at which the city says something of twelve whole months of its own energy: 2019, the year against
-- which it promised, is the first, and the last is the newest that the meters speak of whole.
with sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'energy_meters'

)

select
    sources_complete.complete_until,
    last_day(months.month_start::date) as ref_date
from sources_complete
cross join
    unnest(
        generate_series(date '2019-12-01', sources_complete.last_whole_date, interval 1 month)
    ) as months (month_start)
where last_day(months.month_start::date) <= sources_complete.last_whole_date
