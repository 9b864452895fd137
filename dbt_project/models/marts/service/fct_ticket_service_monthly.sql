with counts as (

    select * from {{ ref('int_tickets_1777__monthly_shown') }}

),

calendar_days as (

    select * from {{ ref('int_calendar_days') }}

),

cities as (

    select * from {{ ref('city') }}

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
    group by all

)

select
    counts.month_start,
    counts.month_end,
    counts.department_id,
    counts.theme_nl,
    counts.n_received,
    counts.n_first_line,
    counts.n_duplicate,
    counts.n_withdrawn,
    counts.n_doubtful_duplicate,
    counts.n_pending,
    counts.n,
    counts.n_on_time,
    counts.n_late,
    counts.n_overdue_open,
    100.0::double * counts.n_on_time / nullif(counts.n, 0) as on_time_percent,
    case
        when counts.n > 0 then 100 * {{ wilson_bound('(counts.n_on_time / counts.n)', 'counts.n', -1) }}
    end as wilson_low,
    case
        when counts.n > 0 then 100 * {{ wilson_bound('(counts.n_on_time / counts.n)', 'counts.n', 1) }}
    end as wilson_high,
    100.0::double * counts.n_every_cycle_on_time / nullif(counts.n, 0) as every_cycle_on_time_percent,
    100.0::double * counts.n_closure_proxy / nullif(counts.n, 0) as closure_proxy_percent,
    100.0::double * counts.n_reopened / nullif(counts.n + counts.n_pending, 0) as reopened_percent,
    counts.median_working_days,
    counts.p90_working_days,
    counts.is_suppressed,
    coalesce(settling.settles_at <= counts.complete_until, false) as is_settled,
    coalesce(assumed.is_calendar_assumed, false) as is_calendar_assumed,
    'wd5-v2' as method_version,
    counts.complete_until,
    counts.known_at
from counts
left join settling
    on counts.month_end = settling.month_end
left join assumed
    on counts.month_start = assumed.month_start
order by counts.month_start, counts.department_id, counts.theme_nl
