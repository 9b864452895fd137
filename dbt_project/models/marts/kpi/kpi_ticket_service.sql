{{ config(tags=['kpi'], meta={'kpi_ids': [
    'tickets_median_working_days', 'tickets_p90_working_days', 'tickets_overdue_backlog', 'tickets_reopen_rate'
]}) }}

-- How long, how many wait too long, and how many come back: the same questions as the share in time, so that the
-- numbers can stand beside it.
with tickets as (

    select
        *,
        date_trunc('month', requested_date)::date as month_start
    from {{ ref('fct_tickets') }}
    where is_counted

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'tickets_1777'

),

by_month as (

    select
        month_start,
        last_day(month_start) as month_end,
        median(working_days_to_reply) as median_working_days,
        quantile_disc(working_days_to_reply, 0.9)::double as p90_working_days,
        count(working_days_to_reply) as replied,
        count(*) filter (where cycles > 1)::double as reopened,
        count(*) as n,
        max(known_at) as known_at
    from tickets
    where is_term_over
    group by month_start

),

-- a question is in the backlog of a month's end when its term was over and nobody had answered
month_ends as (

    select distinct
        by_month.month_start,
        by_month.month_end,
        timezone(cities.time_zone, (by_month.month_end + 1)::timestamp) as measured_at
    from by_month
    cross join cities

),

backlog as (

    select
        month_ends.month_start,
        month_ends.month_end,
        count(*) filter (
            where
            tickets.due_at <= least(month_ends.measured_at, tickets.complete_until)
            and (
                tickets.replied_at is null
                or tickets.replied_at > least(month_ends.measured_at, tickets.complete_until)
            )
        ) as waiting,
        count(*) as n,
        max(tickets.known_at) as known_at
    from month_ends
    inner join tickets
        on month_ends.measured_at > tickets.requested_at
    group by all

),

measured as (

    select
        'tickets_median_working_days' as kpi_id,
        month_start,
        month_end,
        median_working_days as value,
        'working days' as unit,
        replied as n,
        known_at,
        null::double as numerator,
        null::double as denominator
    from by_month
    where replied > 0
    union all
    select
        'tickets_p90_working_days' as kpi_id,
        month_start,
        month_end,
        p90_working_days as value,
        'working days' as unit,
        replied as n,
        known_at,
        null::double as numerator,
        null::double as denominator
    from by_month
    where replied > 0
    union all
    select
        'tickets_reopen_rate' as kpi_id,
        month_start,
        month_end,
        100 * reopened / n as value,
        '% of questions' as unit,
        n,
        known_at,
        reopened as numerator,
        n::double as denominator
    from by_month
    union all
    select
        'tickets_overdue_backlog' as kpi_id,
        month_start,
        month_end,
        waiting::double as value,
        'questions' as unit,
        n,
        known_at,
        waiting::double as numerator,
        null::double as denominator
    from backlog

)

select
    measured.kpi_id,
    'kpi_ticket_service' as kpi_model,
    cities.area_id,
    measured.month_start as period_start,
    measured.month_end as period_end,
    least(measured.month_end, sources_complete.ref_date) as ref_date,
    measured.value,
    measured.unit,
    measured.n,
    1.0::double as completeness,
    sources_complete.complete_until,
    measured.known_at,
    measured.numerator,
    measured.denominator,
    'wd5-v2' as method_version
from measured
cross join cities
cross join sources_complete
order by measured.kpi_id, measured.month_start
