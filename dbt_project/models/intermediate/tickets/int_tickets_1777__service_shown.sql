{{ config(meta={'suppresses': true}) }}

-- How long, how many wait too long, and how many come back, by month of the question. A share or a median says on how
-- many questions it rests; a backlog is a count itself, and the questions of all months until then would tell, as the
-- difference of two months, how many were asked in a month that is hidden.
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

day_completeness as (

    select * from {{ ref('int_tickets_1777__day_completeness') }}

),

by_month as (

    select
        month_start,
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
        timezone(cities.time_zone, (last_day(by_month.month_start) + 1)::timestamp) as measured_at
    from by_month
    cross join cities

),

backlog as (

    select
        month_ends.month_start,
        count(*) filter (
            where
            tickets.due_at <= least(month_ends.measured_at, tickets.complete_until)
            and (
                tickets.replied_at is null
                or tickets.replied_at > least(month_ends.measured_at, tickets.complete_until)
            )
        ) as waiting,
        max(tickets.known_at) as known_at
    from month_ends
    inner join tickets
        on month_ends.measured_at > tickets.requested_at
    group by month_ends.month_start

),

measured as (

    select
        'tickets_median_working_days' as kpi_id,
        'working days' as unit,
        month_start,
        median_working_days as value,
        replied as n,
        known_at,
        null::double as numerator,
        null::double as denominator
    from by_month
    where replied > 0
    union all
    select
        'tickets_p90_working_days' as kpi_id,
        'working days' as unit,
        month_start,
        p90_working_days as value,
        replied as n,
        known_at,
        null::double as numerator,
        null::double as denominator
    from by_month
    where replied > 0
    union all
    select
        'tickets_reopen_rate' as kpi_id,
        '% of questions' as unit,
        month_start,
        100 * reopened / n as value,
        n,
        known_at,
        reopened as numerator,
        n::double as denominator
    from by_month
    union all
    select
        'tickets_overdue_backlog' as kpi_id,
        'questions' as unit,
        month_start,
        waiting::double as value,
        null::bigint as n,
        known_at,
        waiting::double as numerator,
        null::double as denominator
    from backlog

),

counted as (

    select
        measured.*,
        coalesce(day_completeness.completeness, 1.0) as completeness
    from measured
    left join day_completeness
        on measured.month_start = day_completeness.month_start

),

shown as (

    {{ emptied_below_five('counted', count='coalesce(n, 0)', measures=['n', 'value', 'numerator', 'denominator']) }}

)

select * from shown
