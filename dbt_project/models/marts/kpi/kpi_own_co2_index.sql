{{ config(tags=['kpi'], meta={'kpi_ids': ['own_co2_index_2019_non_ets', 'own_co2_index_2019_total']}) }}

-- The emission of twelve whole months against that of 2019, over the buildings and carriers measured in both, in the
-- two scopes. Which of the two the pact means is not established. A carrier without a factor leaves the whole scope
-- without a value: an unknown emission is not zero, and a part of it is no total.
with expected as (

    select * from {{ ref('int_buildings__expected_days') }}

),

months as (

    select * from {{ ref('fct_energy_monthly') }}
    where direction = 'offtake'

),

scopes as (

    select * from {{ ref('emission_scopes') }}

),

cities as (

    select * from {{ ref('city') }}

),

month_ends as (

    select * from {{ ref('int_energy_meters__month_ends') }}

),

years as (

    select
        month_ends.ref_date,
        month_ends.complete_until,
        expected.site_id,
        expected.carrier,
        {{ exact_sum('months.energy_kwh') }} as energy_kwh,
        {{ exact_sum('months.co2_kg') }} as co2_kg,
        count(months.energy_kwh) = count(months.co2_kg) as has_factor,
        least(
            1.0, coalesce({{ exact_sum('months.measured_days') }}, 0) / {{ exact_sum('expected.expected_days') }}
        ) as coverage,
        max(months.known_at) as known_at
    from month_ends
    inner join expected
        on
            month_ends.ref_date >= expected.month_start_date
            and expected.month_start_date > month_ends.ref_date - interval 1 year
    left join months
        on
            expected.site_id = months.site_id
            and expected.carrier = months.carrier
            and expected.month_start_date = months.month_start_date
    group by month_ends.ref_date, month_ends.complete_until, expected.site_id, expected.carrier

),

compared as (

    select
        scopes.scope,
        years.ref_date,
        years.complete_until,
        years.site_id,
        years.co2_kg / years.coverage as co2_kg,
        base.co2_kg / base.coverage as base_co2_kg,
        coalesce(years.has_factor and base.has_factor, false) as has_factor,
        -- what the register did not yet hold in 2019 has nothing to be short of
        case when base.coverage is not null then least(years.coverage, base.coverage) end as coverage,
        coalesce(years.coverage >= 0.95 and base.coverage >= 0.95, false) as is_comparable,
        years.known_at
    from years
    inner join scopes
        on years.carrier = scopes.carrier
    left join years as base
        on
            base.ref_date = '2019-12-31'
            and years.site_id = base.site_id
            and years.carrier = base.carrier

),

added as (

    select
        scope,
        ref_date,
        complete_until,
        {{ exact_sum('co2_kg', where='is_comparable') }} / 1000 as co2_t,
        {{ exact_sum('base_co2_kg', where='is_comparable') }} / 1000 as base_co2_t,
        count(distinct site_id) filter (where is_comparable) as n,
        coalesce({{ exact_sum('coverage') }} / nullif(count(coverage), 0), 0) as completeness,
        bool_and(has_factor) filter (where is_comparable) as has_factors,
        max(known_at) as known_at
    from compared
    group by scope, ref_date, complete_until
    having max(known_at) is not null

),

settled as (

    select
        *,
        case
            when n = 0 then 'te weinig gemeten'
            when not has_factors then 'factor ontbreekt'
            when coalesce(base_co2_t, 0) = 0 then 'geen uitstoot in 2019'
        end as empty_reason_nl
    from added

)

select
    'own_co2_index_2019_' || settled.scope as kpi_id,
    'kpi_own_co2_index' as kpi_model,
    cities.area_id,
    {{ first_day_of_year_to('settled.ref_date') }} as period_start,
    settled.ref_date as period_end,
    settled.ref_date,
    case when settled.empty_reason_nl is null then 100 * (settled.co2_t / settled.base_co2_t - 1) end as value,
    '% change vs 2019' as unit,
    settled.n,
    settled.completeness,
    settled.complete_until,
    settled.known_at,
    case when settled.empty_reason_nl is null then settled.co2_t end as numerator,
    case when settled.empty_reason_nl is null then settled.base_co2_t end as denominator,
    'co2-index-v1' as method_version,
    settled.empty_reason_nl
from settled
cross join cities
order by settled.scope, settled.ref_date
