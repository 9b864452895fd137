{{ config(meta={'suppresses': true}) }}

-- By month of receipt, first cycles of second-line questions. Questions count from the moment their five working days
-- are over, whatever became of them: the quick answers of a term that still runs would flatter the month.
with cycles as (

    select * from {{ ref('fct_ticket_cycles') }}
    where is_counted and due_at <= complete_until

),

day_completeness as (

    select * from {{ ref('int_tickets_1777__day_completeness') }}

),

months as (

    select
        date_trunc('month', started_date)::date as month_start,
        count(*) filter (where outcome = 'on_time')::double as on_time,
        count(*) as n,
        max(known_at) as known_at
    from cycles
    group by date_trunc('month', started_date)

),

counted as (

    select
        months.*,
        -- questions of days off only are of no expected day
        coalesce(day_completeness.completeness, 1.0) as completeness
    from months
    left join day_completeness
        on months.month_start = day_completeness.month_start

),

shown as (

    {{ emptied_below_five('counted', count='n', measures=['n', 'on_time']) }}

)

select * from shown
