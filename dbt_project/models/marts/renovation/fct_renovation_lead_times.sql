{{ config(schema='marts') }}

-- Days between two steps, by the year in which the second was reached; fewer than five dossiers are not shown.
with dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

steps as (

    select
        'intake_to_visit' as step,
        intake_date as begin_date,
        house_visit_date as end_date
    from dossiers
    union all
    select
        'visit_to_plan' as step,
        house_visit_date as begin_date,
        plan_delivered_date as end_date
    from dossiers
    union all
    select
        'plan_to_completion' as step,
        plan_delivered_date as begin_date,
        phase_date as end_date
    from dossiers
    where phase = 'afgerond'

)

select
    step,
    year(end_date)::integer as year_reached,
    count(*) as dossiers,
    median(end_date - begin_date)::double as median_days,
    quantile_cont(end_date - begin_date, 0.9)::double as ninetieth_percentile_days
from steps
where begin_date is not null and end_date >= begin_date
group by step, year(end_date)
having count(*) >= 5
order by step, year_reached
