{{ config(meta={'suppresses': true}) }}

-- Counts that are never added up: one dwelling may be in each of them. All are totals of the whole city,
-- told where five households or more stand behind them.
with dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

collective_measures as (

    select * from {{ ref('int_renovation_coach__collective_measures') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'renovation_coach'

),

-- month ends, and the day up to which the last log speaks
periods as (

    select least(last_day(months.month_start::date), sources_complete.ref_date) as ref_date
    from sources_complete
    cross join
        unnest(generate_series(date '2021-01-01', sources_complete.ref_date, interval 1 month)) as months (month_start)

),

-- one dwelling may be visited for several dossiers
coached as (

    select
        'renovation_coached_households' as kpi_id,
        'households per year' as unit,
        make_date(year(periods.ref_date), 1, 1) as period_start,
        periods.ref_date,
        count(distinct dossiers.dwelling_key) as n,
        count(distinct dossiers.dwelling_key) as households,
        max(dossiers.known_at) as known_at
    from periods
    inner join dossiers
        on dossiers.house_visit_date between make_date(year(periods.ref_date), 1, 1) and periods.ref_date
    group by periods.ref_date

),

planned as (

    select
        'renovation_custom_trajectories' as kpi_id,
        'trajectories (cumulative)' as unit,
        date '2021-01-01' as period_start,
        periods.ref_date,
        count(*) as n,
        count(distinct dossiers.dwelling_key) as households,
        max(dossiers.known_at) as known_at
    from periods
    inner join dossiers
        on dossiers.plan_delivered_date between date '2021-01-01' and periods.ref_date
    group by periods.ref_date

),

-- the note counts dwellings: one that has two dossiers is one
planned_dwellings as (

    select
        'renovation_custom_dwellings' as kpi_id,
        'dwellings (cumulative)' as unit,
        date '2021-01-01' as period_start,
        periods.ref_date,
        count(distinct dossiers.dwelling_key) as n,
        count(distinct dossiers.dwelling_key) as households,
        max(dossiers.known_at) as known_at
    from periods
    inner join dossiers
        on dossiers.plan_delivered_date between date '2021-01-01' and periods.ref_date
    group by periods.ref_date

),

collective as (

    select
        periods.ref_date,
        count(*) as n,
        count(*) filter (where collective_measures.is_fossil_free) as fossil_free_count,
        count(distinct collective_measures.dwelling_key) as households,
        max(collective_measures.known_at) as known_at
    from periods
    inner join collective_measures
        on periods.ref_date >= collective_measures.works_completed_date
    group by periods.ref_date

),

counted as (

    {% for relation in ['coached', 'planned', 'planned_dwellings'] %}
    select
        *,
        n::double as value,
        n::double as numerator,
        null::double as denominator
    from {{ relation }}
    union all
    {% endfor %}
    select
        'renovation_collective' as kpi_id,
        'renovations (cumulative)' as unit,
        date '2021-01-01' as period_start,
        ref_date,
        n,
        households,
        known_at,
        n::double as value,
        n::double as numerator,
        null::double as denominator
    from collective
    union all
    select
        'collective_renovation_fossil_free_share' as kpi_id,
        '% of collective renovations' as unit,
        date '2021-01-01' as period_start,
        ref_date,
        n,
        households,
        known_at,
        100.0 * fossil_free_count / n as value,
        fossil_free_count::double as numerator,
        n::double as denominator
    from collective

),

shown as (

    {{ emptied_below_five('counted', count='households', measures=['n', 'value', 'numerator', 'denominator']) }}

)

select * exclude (households)
from shown
