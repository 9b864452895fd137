{{ config(tags=['kpi'], meta={'kpi_ids': [
    'own_electricity_yearly', 'own_gas_yearly', 'own_gas_normalised_yearly', 'own_primary_energy_yearly',
    'own_co2_total_yearly', 'own_co2_non_ets_yearly', 'own_energy_estimated_share', 'own_energy_intensity'
]}) }}

-- Twelve whole months at every month's end, of the city's own buildings. What cannot be said for every month of the
-- twelve (a factor or degree days are missing), or of fewer than 95 % of the days that the register promises, has no
-- value, and its completeness says how much is known.
with expected as (

    select
        month_start_date,
        carrier,
        {{ exact_sum('expected_days') }} as expected_days
    from {{ ref('int_buildings__expected_days') }}
    group by month_start_date, carrier

),

measured as (

    select
        month_start_date,
        carrier,
        count(distinct site_id) as sites,
        {{ exact_sum('energy_kwh') }} as energy_kwh,
        {{ exact_sum('energy_kwh * estimated_share') }} as estimated_kwh,
        {{ exact_sum('measured_days') }} as measured_days,
        {{ exact_sum('primary_energy_kwh') }} as primary_energy_kwh,
        {{ exact_sum('energy_kwh', where='primary_energy_kwh is not null') }} as primary_known_kwh,
        {{ exact_sum('co2_kg') }} as co2_kg,
        {{ exact_sum('energy_kwh', where='co2_kg is not null') }} as co2_known_kwh,
        -- of a month that asked for no heating nothing depends on the weather
        {{ exact_sum('case when degree_days = 0 then energy_kwh else normalised_kwh end') }} as normalised_kwh,
        {{ exact_sum('energy_kwh', where='degree_days = 0 or normalised_kwh is not null') }} as normalised_known_kwh,
        max(known_at) as known_at
    from {{ ref('fct_energy_monthly') }}
    where direction = 'offtake'
    group by month_start_date, carrier

),

scopes as (

    select * from {{ ref('emission_scopes') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'energy_meters'

),

month_ends as (

    select * from {{ ref('int_energy_meters__month_ends') }}

),

years as (

    select
        month_ends.ref_date,
        month_ends.complete_until,
        expected.carrier,
        max(measured.sites) as sites,
        {{ exact_sum('expected.expected_days') }} as expected_days,
        {{ exact_sum('measured.measured_days') }} as measured_days,
        {% for amount in [
            'energy_kwh', 'estimated_kwh', 'primary_energy_kwh', 'primary_known_kwh', 'co2_kg', 'co2_known_kwh',
            'normalised_kwh', 'normalised_known_kwh'
        ] %}
        {{ exact_sum('measured.' ~ amount) }} as {{ amount }},
        {% endfor %}
        max(measured.known_at) as known_at
    from month_ends
    inner join expected
        on
            month_ends.ref_date >= expected.month_start_date
            and expected.month_start_date > month_ends.ref_date - interval 1 year
    left join measured
        on
            expected.month_start_date = measured.month_start_date
            and expected.carrier = measured.carrier
    group by month_ends.ref_date, month_ends.complete_until, expected.carrier
    having count(measured.energy_kwh) > 0

),

-- per KPI: what is added up, over which carriers, and of how much energy it is known
amounts as (

    select
        'own_electricity_yearly' as kpi_id,
        'MWh per year' as unit,
        energy_kwh as amount,
        energy_kwh as known_kwh,
        *
    from years
    where carrier = 'electricity'
    union all
    select
        'own_gas_yearly' as kpi_id,
        'MWh per year' as unit,
        energy_kwh as amount,
        energy_kwh as known_kwh,
        *
    from years
    where carrier = 'gas'
    union all
    select
        'own_gas_normalised_yearly' as kpi_id,
        'MWh per year' as unit,
        normalised_kwh as amount,
        normalised_known_kwh as known_kwh,
        *
    from years
    where carrier = 'gas'
    union all
    select
        'own_primary_energy_yearly' as kpi_id,
        'MWh primary per year' as unit,
        primary_energy_kwh as amount,
        primary_known_kwh as known_kwh,
        *
    from years
    union all
    select
        'own_co2_' || scopes.scope || '_yearly' as kpi_id,
        't CO2 per year' as unit,
        years.co2_kg as amount,
        years.co2_known_kwh as known_kwh,
        years.*
    from years
    inner join scopes
        on years.carrier = scopes.carrier

),

added as (

    select
        kpi_id,
        unit,
        ref_date,
        complete_until,
        max(sites) as n,
        {{ exact_sum('amount') }} / 1000 as amount,
        coalesce({{ exact_sum('known_kwh') }}, 0) / nullif({{ exact_sum('energy_kwh') }}, 0) as known_share,
        least(1.0, {{ exact_sum('measured_days') }} / {{ exact_sum('expected_days') }}) as coverage,
        max(known_at) as known_at
    from amounts
    group by kpi_id, unit, ref_date, complete_until

),

settled as (

    select
        * exclude (amount),
        -- the sum of part of a year is no year; nine decimals in ten thousand million is rounding, a month is not
        case when coverage >= 0.95 and known_share > 0.999999 then amount end as amount,
        case
            when coverage < 0.95 then 'te weinig gemeten'
            when known_share > 0.999999 then null
            when kpi_id = 'own_gas_normalised_yearly' then 'graaddagen ontbreken'
            else 'factor ontbreekt'
        end as empty_reason_nl
    from added

),

estimated as (

    select
        ref_date,
        complete_until,
        max(sites) as n,
        {{ exact_sum('estimated_kwh') }} as numerator,
        {{ exact_sum('energy_kwh') }} as denominator,
        least(1.0, {{ exact_sum('measured_days') }} / {{ exact_sum('expected_days') }}) as completeness,
        max(known_at) as known_at
    from years
    group by ref_date, complete_until

),

intensity as (

    select
        intensities.period_end as ref_date,
        sources_complete.complete_until,
        count(intensities.kwh_per_m2) as n,
        {{ exact_sum('intensities.energy_kwh', where='intensities.kwh_per_m2 is not null') }} as numerator,
        {{ exact_sum('intensities.floor_area_m2', where='intensities.kwh_per_m2 is not null') }} as denominator,
        count(intensities.kwh_per_m2)::double / count(*) as completeness,
        max(intensities.known_at) as known_at
    from {{ ref('fct_energy_intensity') }} as intensities
    cross join sources_complete
    where intensities.energy_kwh is not null
    group by intensities.period_end, sources_complete.complete_until

),

observed as (

    select
        kpi_id,
        unit,
        ref_date,
        complete_until,
        amount as value,
        n,
        least(coverage, known_share) as completeness,
        known_at,
        amount as numerator,
        null::double as denominator,
        empty_reason_nl
    from settled
    union all
    select
        'own_energy_estimated_share' as kpi_id,
        '% of energy' as unit,
        ref_date,
        complete_until,
        100 * numerator / nullif(denominator, 0) as value,
        n,
        completeness,
        known_at,
        numerator,
        denominator,
        case when coalesce(denominator, 0) = 0 then 'te weinig gemeten' end as empty_reason_nl
    from estimated
    union all
    select
        'own_energy_intensity' as kpi_id,
        'kWh per m2' as unit,
        ref_date,
        complete_until,
        numerator / nullif(denominator, 0) as value,
        n,
        completeness,
        known_at,
        numerator,
        denominator,
        case when coalesce(denominator, 0) = 0 then 'te weinig gemeten' end as empty_reason_nl
    from intensity

)

select
    observed.kpi_id,
    'kpi_energy_footprint' as kpi_model,
    cities.area_id,
    {{ first_day_of_year_to('observed.ref_date') }} as period_start,
    observed.ref_date as period_end,
    observed.ref_date,
    observed.value,
    observed.unit,
    observed.n,
    observed.completeness,
    observed.complete_until,
    observed.known_at,
    observed.numerator,
    observed.denominator,
    'energy12m-v1' as calculation_version,
    observed.empty_reason_nl
from observed
cross join cities
order by observed.kpi_id, observed.ref_date
