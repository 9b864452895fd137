-- The city's own file of closing days goes before the usual days of its profile, a year at a time: a decided year
-- must not keep an assumed day. The length of a local day tells how many readings a day should hold on a change
-- of clock.
with cities as (

    select * from {{ ref('city') }}

),

days as (

    select * from {{ ref('stg_pipeline__city_days') }}

),

closing_days as (

    select * from {{ ref('closing_days') }}

),

decided_years as (

    select distinct year(closing_date) as year_no from closing_days

),

closed as (

    select
        days.calendar_date,
        days.holiday_name,
        case when decided_years.year_no is null then days.closing_reason else closing_days.reason_nl end
            as closing_reason,
        case
            when decided_years.year_no is null then days.closing_reason is not null
            else closing_days.closing_date is not null and closing_days.approved_by is null
        end as is_closing_assumed
    from days
    left join decided_years
        on year(days.calendar_date) = decided_years.year_no
    left join closing_days
        on days.calendar_date = closing_days.closing_date

),

worked as (

    select
        *,
        isodow(calendar_date) <= 5 and holiday_name is null and closing_reason is null as is_working_day
    from closed

)

select
    worked.calendar_date,
    worked.holiday_name,
    worked.closing_reason,
    worked.is_closing_assumed,
    worked.is_working_day,
    (count(*) filter (where worked.is_working_day) over (order by worked.calendar_date))::bigint as working_day_no,
    date_diff(
        'minute',
        timezone(cities.time_zone, worked.calendar_date::timestamp),
        timezone(cities.time_zone, (worked.calendar_date + 1)::timestamp)
    ) / 60.0 as hours_in_day
from worked
cross join cities
