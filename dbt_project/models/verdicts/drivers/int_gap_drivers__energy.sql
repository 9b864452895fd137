{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- By building: what it took in twelve months above what the path asks of it, over the access points the KPI compares.
-- For emission the same in kg CO2, or in kWh where the carrier has no factor; where no path can be read, above the
-- twelve months before.
with positions as (

    select * from {{ ref('int_target_positions') }}
    -- by the beginning of the name: a registry ends it with its own deadline and base year
    where
        value_kpi_id = 'own_energy_use_yearly'
        or starts_with(value_kpi_id, 'own_buildings_co2_')
        or starts_with(value_kpi_id, 'own_co2_index_2019_')

),

targets as (

    select * from {{ ref('dim_target') }}

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
        / (date_diff('day', {{ first_day_of_year_to('positions.ref_date') }}, positions.ref_date) + 1) as coverage,
        count(*) as days
    from positions
    inner join daily
        on
            daily.reading_date >= {{ first_day_of_year_to('positions.ref_date') }}
            and positions.ref_date >= daily.reading_date
    where positions.gap < 0 and positions.value_kpi_id = 'own_energy_use_yearly'
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
    where direction = 'offtake' and completeness >= 0.95

),

emission_positions as (

    select
        positions.target_id,
        positions.gap is not null as has_path,
        -- another wording counts from another year: back to what it asks of 2019
        case
            when positions.gap is not null
                then
                    (positions.required_value - coalesce(targets.rebase_offset, 0))
                    / coalesce(targets.rebase_factor, 1) / 100
            else 0
        end as asked_change,
        max(monthly.month_start_date) as last_month_date
    from positions
    inner join targets
        on positions.target_id = targets.target_id
    inner join monthly
        on positions.ref_date is null or last_day(monthly.month_start_date) <= positions.ref_date
    where
        positions.value_kpi_id != 'own_energy_use_yearly'
        and (positions.gap is null or positions.gap < 0)
    group by all

),

placed as (

    select
        emission_positions.target_id,
        emission_positions.asked_change,
        monthly.site_id,
        monthly.carrier,
        monthly.energy_kwh,
        monthly.co2_kg,
        day(last_day(monthly.month_start_date)) as days,
        date_diff('month', monthly.month_start_date, emission_positions.last_month_date) between 0 and 11 as is_recent,
        case
            when emission_positions.has_path then year(monthly.month_start_date) = 2019
            else date_diff('month', monthly.month_start_date, emission_positions.last_month_date) between 12 and 23
        end as is_base
    from emission_positions
    cross join monthly

),

emissions as (

    select
        target_id,
        site_id,
        carrier,
        asked_change,
        -- a factor that is missing for one month leaves the whole unknown
        count(*) = count(co2_kg) as has_factor,
        {{ exact_sum('energy_kwh', where='is_recent') }} as energy_kwh,
        {{ exact_sum('energy_kwh', where='is_base') }} as base_kwh,
        {{ exact_sum('co2_kg', where='is_recent') }} as co2_kg,
        {{ exact_sum('co2_kg', where='is_base') }} as base_co2_kg,
        sum(days) filter (where is_recent) as days
    from placed
    where is_recent or is_base
    group by target_id, site_id, carrier, asked_change
    having count(*) filter (where is_recent) = 12 and count(*) filter (where is_base) = 12

),

emitted as (

    select
        target_id,
        site_id,
        null::varchar as carrier,
        {{ exact_sum('(co2_kg - base_co2_kg * (1 + asked_change))') }} as contribution,
        'kg CO2' as unit,
        sum(days) as n
    from emissions
    where has_factor
    group by target_id, site_id
    union all
    select
        target_id,
        site_id,
        carrier,
        energy_kwh - base_kwh * (1 + asked_change) as contribution,
        'kWh' as unit,
        days as n
    from emissions
    where not has_factor

),

drivers as (

    select
        target_id,
        site_id,
        null::varchar as carrier,
        contribution,
        unit,
        n
    from above_the_path
    union all
    select * from emitted

)

select
    drivers.target_id,
    'site' as driver_type,
    concat_ws('/', drivers.site_id, drivers.carrier) as driver_key,
    sites.name_nl || case drivers.carrier
        when 'electricity' then ' (stroom in kWh: emissiefactor ontbreekt)'
        when 'gas' then ' (gas in kWh: emissiefactor ontbreekt)'
        else ''
    end as label_nl,
    null::varchar as coarser_key,
    null::varchar as coarser_label_nl,
    drivers.contribution,
    drivers.unit,
    drivers.n::bigint as n,
    null::double as median_days
from drivers
inner join sites
    on drivers.site_id = sites.site_id
