-- The length of a local day tells how many readings a day should hold on a change of clock.
with cities as (

    select * from {{ ref('city') }}

),

days as (

    select * from {{ ref('stg_pipeline__city_days') }}

)

select
    days.calendar_date,
    days.holiday_name,
    days.closing_reason,
    days.is_working_day,
    days.working_day_no,
    date_diff(
        'minute',
        timezone(cities.time_zone, days.calendar_date::timestamp),
        timezone(cities.time_zone, (days.calendar_date + 1)::timestamp)
    ) / 60.0 as hours_in_day
from days
cross join cities
