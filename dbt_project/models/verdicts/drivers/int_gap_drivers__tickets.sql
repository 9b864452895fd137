{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Questions answered too late or not at all, in the month the judgement is about. What the monthly table hides is one
-- group here, so that the two tell no more together than each of them does.
with positions as (

    select * from {{ ref('int_target_positions') }}
    where value_kpi_id = 'tickets_1777_5wd' and gap < 0

),

observations as (

    select * from {{ ref('kpi_tickets_on_time') }}

),

counts as (

    select * from {{ ref('int_tickets_1777__monthly_counts') }}

),

shown as (

    select * from {{ ref('int_tickets_1777__monthly_shown') }}

),

departments as (

    select * from {{ ref('dim_department') }}

),

cells as (

    select
        positions.target_id,
        case
            when not shown.is_suppressed then concat(counts.department_id, '/', counts.theme_nl)
        end as driver_key,
        case
            when not shown.is_suppressed
                then counts.theme_nl || ' (' || coalesce(departments.name_nl, counts.department_id) || ')'
        end as label_nl,
        counts.n_late + counts.n_overdue_open as late,
        counts.n
    from positions
    inner join observations
        on positions.ref_date = observations.ref_date
    inner join counts
        on observations.period_start = counts.month_start
    inner join shown
        on
            counts.month_start = shown.month_start
            and counts.department_id = shown.department_id
            and counts.theme_nl = shown.theme_nl
    left join departments
        on counts.department_id = departments.department_id
    where counts.n > 0

)

select
    target_id,
    'category' as driver_type,
    coalesce(driver_key, 'overige') as driver_key,
    coalesce(label_nl, 'Overige') as label_nl,
    sum(late)::double as contribution,
    'vragen te laat' as unit,
    sum(n)::bigint as n,
    null::double as median_days
from cells
group by target_id, driver_key, label_nl
