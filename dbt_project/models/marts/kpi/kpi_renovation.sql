{{
    config(
        tags=['kpi'],
        meta={
            'kpi_ids': [
                'renovation_coached_households',
                'renovation_custom_trajectories',
                'renovation_collective',
                'collective_renovation_fossil_free_share',
            ]
        }
    )
}}

-- Three counts that are never added up: one dwelling may be in each of them.
with dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

collective_measures as (

    select * from {{ ref('int_renovation_coach__collective_measures') }}

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
        count(distinct dossiers.dwelling_key)::double as value,
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
        count(*)::double as value,
        count(*) as n,
        'trajectories (cumulative)' as unit,
        periods.complete_until,
        max(dossiers.known_at) as known_at
    from periods
    inner join dossiers
        on dossiers.plan_delivered_date between date '2021-01-01' and periods.ref_date
    group by periods.ref_date, periods.complete_until

),

collective_counts as (

    select
        periods.ref_date,
        periods.complete_until,
        count(*) as n,
        count(*) filter (where collective_measures.is_fossil_free) as fossil_free_count,
        max(collective_measures.known_at) as known_at
    from periods
    inner join collective_measures
        on periods.ref_date >= collective_measures.works_completed_date
    group by periods.ref_date, periods.complete_until

),

collective as (

    select
        'renovation_collective' as kpi_id,
        date '2021-01-01' as period_start,
        ref_date,
        n::double as value,
        n,
        'renovations (cumulative)' as unit,
        complete_until,
        known_at
    from collective_counts

),

fossil_free as (

    select
        'collective_renovation_fossil_free_share' as kpi_id,
        date '2021-01-01' as period_start,
        ref_date,
        100.0 * fossil_free_count / n as value,
        n,
        '% of collective renovations' as unit,
        complete_until,
        known_at
    from collective_counts

),

week_completeness as (

    select * from {{ ref('int_renovation_coach__week_completeness') }}

),

measured as (

    select
        *,
        value as numerator,
        null::double as denominator
    from coached
    union all
    select
        *,
        value as numerator,
        null::double as denominator
    from planned
    union all
    select
        *,
        value as numerator,
        null::double as denominator
    from collective
    union all
    select
        fossil_free.*,
        collective_counts.fossil_free_count::double as numerator,
        collective_counts.n::double as denominator
    from fossil_free
    inner join collective_counts
        on fossil_free.ref_date = collective_counts.ref_date

)

select
    measured.kpi_id,
    'kpi_renovation' as kpi_model,
    cities.area_id,
    measured.period_start,
    measured.ref_date as period_end,
    measured.ref_date,
    measured.value::double as value,
    measured.unit,
    measured.n,
    -- a week before the first file has nothing to be short of
    coalesce(week_completeness.completeness, 1.0) as completeness,
    measured.complete_until,
    measured.known_at,
    measured.numerator,
    measured.denominator,
    'renovation-v1' as method_version
from measured
cross join cities
left join week_completeness
    on strftime(measured.ref_date, '%G-W%V') = week_completeness.week_label
order by measured.kpi_id, measured.ref_date
