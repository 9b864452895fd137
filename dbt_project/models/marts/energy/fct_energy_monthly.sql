-- Raw and normalised stand side by side. Where a factor or a month of degree days is not known the value is empty and
-- says so: an unknown emission is not zero. Only what depends on the weather is normalised: a building's use in
-- summer (hot water, cooking) is not.
with daily as (

    select
        *,
        date_trunc('month', reading_date)::date as month_start_date
    from {{ ref('fct_energy_daily') }}
    where energy_kwh is not null

),

months as (

    select
        site_id,
        carrier,
        direction,
        month_start_date,
        {{ exact_sum('energy_kwh') }} as energy_kwh,
        {{ exact_sum('completeness') }} as measured_days,
        {{ exact_sum('completeness') }} / (count(distinct ean) * day(last_day(month_start_date))) as completeness,
        {{ exact_sum('coalesce(estimated_share, 0) * energy_kwh') }} as estimated_kwh,
        max(known_at) as known_at
    from daily
    group by site_id, carrier, direction, month_start_date

),

summer_days as (

    select
        site_id,
        reading_date,
        {{ exact_sum('energy_kwh') }} as energy_kwh
    from daily
    where carrier = 'gas' and direction = 'offtake' and month(reading_date) in (6, 7, 8)
    group by site_id, reading_date

),

base_loads as (

    select
        site_id,
        median(energy_kwh) as base_kwh_per_day
    from summer_days
    group by site_id

),

degree_days as (

    select * from {{ ref('degree_days') }}

),

normal_years as (

    select * from {{ ref('degree_days_normal') }}

),

emission_factors as (

    select
        *,
        {{ version_numbers('source_version') }} as version_numbers
    from {{ ref('int_emission_factors') }}

),

primary_factors as (

    select
        *,
        {{ version_numbers('source_version') }} as version_numbers
    from {{ ref('primary_energy_factors') }}

),

with_factors as (

    select
        months.*,
        degree_days.degree_days,
        normal_years.degree_days as degree_days_normal,
        -- least() passes over an empty value, and an unknown summer is not a summer of everything
        case
            when base_loads.base_kwh_per_day is not null
                then least(months.energy_kwh, base_loads.base_kwh_per_day * day(last_day(months.month_start_date)))
        end as base_kwh,
        emission_factors.factor_id,
        emission_factors.kg_co2_per_kwh,
        primary_factors.factor_id as primary_energy_factor_id,
        primary_factors.kwh_primary_per_kwh,
        primary_factors.is_assumption,
        months.carrier = 'gas' and months.direction = 'offtake' as is_heating
    from months
    left join degree_days
        on months.month_start_date = degree_days.month_start_date
    left join normal_years
        on month(months.month_start_date) = normal_years.month_no
    left join base_loads
        on months.site_id = base_loads.site_id
    left join emission_factors
        on
            months.carrier = emission_factors.carrier
            -- the grid operator's gas is on its gross value: a factor per net kWh would say a tenth too much
            and case months.carrier when 'gas' then 'bovenwaarde' else 'geleverd' end = emission_factors.basis
            and months.direction = 'offtake'
            and months.month_start_date >= emission_factors.valid_from_date
            and (
                emission_factors.valid_to_date is null
                or months.month_start_date <= emission_factors.valid_to_date
            )
    left join primary_factors
        on
            months.carrier = primary_factors.carrier
            and case months.carrier when 'gas' then 'bovenwaarde' else 'geleverd' end = primary_factors.basis
            and months.direction = 'offtake'
            and months.month_start_date >= primary_factors.valid_from_date
            and (
                primary_factors.valid_to_date is null
                or months.month_start_date <= primary_factors.valid_to_date
            )
    qualify
        row_number() over (
            partition by months.site_id, months.carrier, months.direction, months.month_start_date
            order by
                emission_factors.is_of_city desc nulls last,
                {{ newest_factor('emission_factors') }},
                {{ newest_factor('primary_factors') }}
        ) = 1

)

select
    site_id,
    carrier,
    direction,
    month_start_date,
    month_start_date as date_key,
    energy_kwh,
    measured_days,
    completeness,
    estimated_kwh / nullif(energy_kwh, 0) as estimated_share,
    case when is_heating then degree_days end as degree_days,
    case when is_heating then degree_days_normal end as degree_days_normal,
    case
        when is_heating then base_kwh + (energy_kwh - base_kwh) * degree_days_normal / nullif(degree_days, 0)
    end as normalised_kwh,
    case
        when not is_heating then 'niet van toepassing'
        when degree_days is null then 'graaddagen ontbreken'
        when degree_days = 0 then 'geen stookmaand'
        when base_kwh is null then 'geen zomer gemeten'
        else 'genormaliseerd'
    end as normalisation_nl,
    factor_id as emission_factor_id,
    energy_kwh * kg_co2_per_kwh as co2_kg,
    case
        when direction != 'offtake' then 'niet van toepassing'
        when factor_id is null then 'emissiefactor ontbreekt'
        else 'berekend'
    end as co2_nl,
    primary_energy_factor_id,
    energy_kwh * kwh_primary_per_kwh as primary_energy_kwh,
    case
        when direction != 'offtake' then 'niet van toepassing'
        when primary_energy_factor_id is null then 'factor ontbreekt'
        when is_assumption then 'berekend met een aanname'
        else 'berekend'
    end as primary_energy_nl,
    known_at
from with_factors
order by month_start_date, site_id, carrier, direction
