{{ config(tags=['kpi'], meta={'kpi_ids': ['own_energy_use_yearly']}) }}

-- Energy taken from the grid by the city's own buildings, twelve months against the calendar year 2019. Only access
-- points that measured at least 95 % of both periods are compared; a missing day counts as the mean of the others.
with daily as (

    select * from {{ ref('fct_energy_daily') }}
    where direction = 'offtake' and energy_kwh is not null

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'energy_meters'

),

-- access points that served the city in the reference year and still do
expected as (

    select
        ean,
        nullif(max(coalesce(valid_to_date, date '9999-12-31')), date '9999-12-31') as valid_to
    from {{ ref('int_buildings__meters') }}
    group by ean
    having min(valid_from_date) <= date '2019-01-01'

),

-- month ends, and the last day that is whole
ref_dates as (

    select
        sources_complete.complete_until,
        sources_complete.last_whole_date as ref_date
    from sources_complete
    union
    select
        sources_complete.complete_until,
        last_day(months.month_start::date) as ref_date
    from sources_complete
    cross join
        unnest(
            generate_series(date '2020-12-01', sources_complete.last_whole_date, interval 1 month)
        ) as months (month_start)

),

periods as (

    select
        ref_dates.complete_until,
        ref_dates.ref_date,
        {{ first_day_of_year_to('ref_dates.ref_date') }} as period_start
    from ref_dates
    inner join sources_complete
        on ref_dates.ref_date between date '2020-12-31' and sources_complete.last_whole_date

),

base as (

    select
        ean,
        {{ exact_sum('energy_kwh') }} as energy_kwh,
        {{ exact_sum('completeness') }} / 365 as coverage
    from daily
    where reading_date between date '2019-01-01' and date '2019-12-31'
    group by ean

),

recent as (

    select
        periods.ref_date,
        daily.ean,
        {{ exact_sum('daily.energy_kwh') }} as energy_kwh,
        {{ exact_sum('daily.completeness') }}
        / (date_diff('day', periods.period_start, periods.ref_date) + 1) as coverage,
        max(daily.known_at) as known_at
    from periods
    inner join daily
        on daily.reading_date between periods.period_start and periods.ref_date
    group by periods.ref_date, periods.period_start, daily.ean

),

compared as (

    select
        periods.ref_date,
        periods.period_start,
        periods.complete_until,
        expected.ean,
        base.energy_kwh / base.coverage as base_kwh,
        recent.energy_kwh / recent.coverage as recent_kwh,
        coalesce(least(base.coverage, recent.coverage, 1.0), 0.0) as coverage,
        base.coverage >= 0.95 and recent.coverage >= 0.95 as is_comparable,
        recent.known_at
    from periods
    inner join expected
        on expected.valid_to is null or periods.ref_date <= expected.valid_to
    left join base
        on expected.ean = base.ean
    left join recent
        on expected.ean = recent.ean and periods.ref_date = recent.ref_date

)

select
    'own_energy_use_yearly' as kpi_id,
    'kpi_own_energy' as kpi_model,
    cities.area_id,
    compared.period_start,
    compared.ref_date as period_end,
    compared.ref_date,
    100 * (
        {{ exact_sum('compared.recent_kwh', where='compared.is_comparable') }}
        / {{ exact_sum('compared.base_kwh', where='compared.is_comparable') }} - 1
    ) as value,
    '% change vs 2019' as unit,
    count(*) filter (where compared.is_comparable) as n,
    {{ exact_sum('compared.coverage') }} / count(*) as completeness,
    compared.complete_until,
    max(compared.known_at) as known_at,
    {{ exact_sum('compared.recent_kwh', where='compared.is_comparable') }} as numerator,
    {{ exact_sum('compared.base_kwh', where='compared.is_comparable') }} as denominator,
    'against-2019-v1' as calculation_version,
    null::varchar as empty_reason_nl
from compared
cross join cities
group by cities.area_id, compared.period_start, compared.ref_date, compared.complete_until
having sum(compared.base_kwh) filter (where compared.is_comparable) > 0
order by compared.ref_date
