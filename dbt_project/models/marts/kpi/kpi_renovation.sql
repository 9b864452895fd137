{{
    config(
        tags=['kpi'],
        meta={'kpi_ids': ['renovation_coached_households', 'renovation_custom_trajectories']}
    )
}}

with dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'renovation_coach'

),

-- month ends, and the day up to which the last log speaks
periods as (

    select
        sources_complete.complete_until,
        least(last_day(months.month_start::date), sources_complete.ref_date) as ref_date
    from sources_complete
    cross join
        unnest(generate_series(date '2021-01-01', sources_complete.ref_date, interval 1 month)) as months (month_start)

),

-- one dwelling may be visited for several dossiers
coached as (

    select
        'renovation_coached_households' as kpi_id,
        make_date(year(periods.ref_date), 1, 1) as period_start,
        periods.ref_date,
        count(distinct dossiers.dwelling_key) as n,
        'households per year' as unit,
        periods.complete_until,
        max(dossiers.known_at) as known_at
    from periods
    inner join dossiers
        on dossiers.house_visit_date between make_date(year(periods.ref_date), 1, 1) and periods.ref_date
    group by periods.ref_date, periods.complete_until

),

planned as (

    select
        'renovation_custom_trajectories' as kpi_id,
        date '2021-01-01' as period_start,
        periods.ref_date,
        count(*) as n,
        'trajectories (cumulative)' as unit,
        periods.complete_until,
        max(dossiers.known_at) as known_at
    from periods
    inner join dossiers
        on dossiers.plan_delivered_date between date '2021-01-01' and periods.ref_date
    group by periods.ref_date, periods.complete_until

),

measured as (

    select * from coached
    union all
    select * from planned

)

select
    measured.kpi_id,
    'kpi_renovation' as kpi_model,
    cities.area_id,
    measured.period_start,
    measured.ref_date as period_end,
    measured.ref_date,
    measured.n::double as value,
    measured.unit,
    measured.n,
    1.0::double as completeness,
    measured.complete_until,
    measured.known_at
from measured
cross join cities
order by measured.kpi_id, measured.ref_date
