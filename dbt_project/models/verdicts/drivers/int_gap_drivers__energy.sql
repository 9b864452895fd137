{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- By building: what it took in twelve months above what the path asks of it, over the access points the KPI compares.
-- Where no path can be read, the emission of twelve months above that of the twelve before.
with positions as (

    select * from {{ ref('int_target_positions') }}
    where
        value_kpi_id = 'own_energy_use_yearly'
        or (value_kpi_id like 'own_buildings_co2_%' and gap is null)

),

daily as (

    select * from {{ ref('fct_energy_daily') }}
    where direction = 'offtake' and energy_kwh is not null

),

sites as (

    select * from {{ ref('dim_site') }}

),

base as (

    select
        ean,
        {{ exact_sum('energy_kwh') }} as energy_kwh,
        {{ exact_sum('completeness') }} / 365 as coverage
    from daily
    where year(reading_date) = 2019
    group by ean

),

recent as (

    select
        positions.target_id,
        daily.ean,
        max_by(daily.site_id, daily.reading_date) as site_id,
        positions.required_value,
        {{ exact_sum('daily.energy_kwh') }} as energy_kwh,
        {{ exact_sum('daily.completeness') }}
        / date_diff('day', positions.ref_date - interval 1 year, positions.ref_date) as coverage,
        count(*) as days
    from positions
    inner join daily
        on
            daily.reading_date > positions.ref_date - interval 1 year
            and positions.ref_date >= daily.reading_date
    where positions.gap < 0
    group by positions.target_id, positions.ref_date, positions.required_value, daily.ean

),

above_the_path as (

    select
        recent.target_id,
        recent.site_id,
        {{ exact_sum('(
            recent.energy_kwh / recent.coverage
            - base.energy_kwh / base.coverage * (1 + recent.required_value / 100)
        )') }} as contribution,
        'kWh' as unit,
        sum(recent.days) as n
    from recent
    inner join base
        on recent.ean = base.ean
    where recent.coverage >= 0.95 and base.coverage >= 0.95
    group by recent.target_id, recent.site_id

),

monthly as (

    select * from {{ ref('fct_energy_monthly') }}
    where co2_kg is not null and completeness >= 0.95

),

last_months as (

    select max(month_start_date) as month_start_date
    from monthly

),

years as (

    select
        monthly.site_id,
        monthly.carrier,
        date_diff('month', monthly.month_start_date, last_months.month_start_date) < 12 as is_recent,
        {{ exact_sum('monthly.co2_kg') }} as co2_kg,
        count(*) as months,
        sum(day(last_day(monthly.month_start_date))) as days
    from monthly
    inner join last_months
        on date_diff('month', monthly.month_start_date, last_months.month_start_date) < 24
    group by all

),

above_last_year as (

    select
        positions.target_id,
        years.site_id,
        {{ exact_sum('(years.co2_kg - former.co2_kg)') }} as contribution,
        'kg CO2' as unit,
        sum(years.days) as n
    from positions
    inner join years
        on positions.gap is null and years.is_recent and years.months = 12
    inner join years as former
        on
            years.site_id = former.site_id
            and years.carrier = former.carrier
            and not former.is_recent
            and former.months = 12
    group by positions.target_id, years.site_id

),

drivers as (

    select * from above_the_path
    union all
    select * from above_last_year

)

select
    drivers.target_id,
    'site' as driver_type,
    drivers.site_id as driver_key,
    sites.name_nl as label_nl,
    drivers.contribution,
    drivers.unit,
    drivers.n::bigint as n,
    null::double as median_days
from drivers
inner join sites
    on drivers.site_id = sites.site_id
