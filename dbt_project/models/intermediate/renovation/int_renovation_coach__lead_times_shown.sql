{{ config(meta={'suppresses': true}) }}

-- Days between two steps of a dossier, by the year in which the second was reached.
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

),

counted as (

    select
        step,
        year(end_date)::integer as year_reached,
        count(*) as dossiers,
        median(end_date - begin_date)::double as median_days,
        quantile_cont(end_date - begin_date, 0.9)::double as ninetieth_percentile_days
    from steps
    where begin_date is not null and end_date >= begin_date
    group by step, year(end_date)

),

-- the macro names its own CTEs, so it stands alone
shown as (

    {{ suppressed(
        'counted',
        total_by=['step'],
        cell=['year_reached'],
        count='dossiers',
        measures=['dossiers', 'median_days', 'ninetieth_percentile_days']
    ) }}

)

select * from shown
