-- The months from the first question on: whether every term of one is over, and on how many questions of the whole
-- city it rests. Nothing is told of a cell before its month is settled: from one day to the next a month that still
-- runs would tell the one question of a day.
with tickets as (

    select
        *,
        date_trunc('month', requested_date)::date as month_start
    from {{ ref('fct_tickets') }}

),

calendar_days as (

    select * from {{ ref('int_calendar_days') }}

),

cities as (

    select * from {{ ref('city') }}

),

counted as (

    select
        month_start,
        count(*) filter (where is_counted and is_term_over) as n
    from tickets
    group by month_start

),

spoken as (

    select
        min(month_start) as first_month,
        max(month_start) as last_month,
        max(complete_until) as complete_until
    from tickets

),

months as (

    select
        series.month_at::date as month_start,
        last_day(series.month_at::date) as month_end,
        spoken.complete_until
    from spoken
    cross join unnest(generate_series(spoken.first_month, spoken.last_month, interval 1 month)) as series (month_at)

),

-- a month is settled when the term of its last question is over
settling as (

    select
        month_ends.calendar_date as month_end,
        timezone(cities.time_zone, (due_days.calendar_date + 1)::timestamp) as settles_at
    from calendar_days as month_ends
    inner join calendar_days as due_days
        on
            due_days.is_working_day
            and month_ends.working_day_no + 5 = due_days.working_day_no
    cross join cities
    where month_ends.calendar_date = last_day(month_ends.calendar_date)

),

assumed as (

    select
        date_trunc('month', calendar_date)::date as month_start,
        bool_or(is_closing_assumed) as is_calendar_assumed
    from calendar_days
    group by date_trunc('month', calendar_date)

)

select
    months.month_start,
    months.month_end,
    date_trunc('quarter', months.month_start)::date as quarter_start,
    coalesce(counted.n, 0) as n,
    coalesce(settling.settles_at <= months.complete_until, false) as is_settled,
    coalesce(assumed.is_calendar_assumed, false) as is_calendar_assumed,
    months.complete_until
from months
left join counted
    on months.month_start = counted.month_start
left join settling
    on months.month_end = settling.month_end
left join assumed
    on months.month_start = assumed.month_start
