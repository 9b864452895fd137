-- Energy per square metre of each building: calendar years, and the last twelve whole months. Only where the register
-- knows the floor and 95 % of the days it promises were measured: a building half read would look thrifty.
with expected as (

    select * from {{ ref('int_buildings__expected_days') }}

),

months as (

    select * from {{ ref('fct_energy_monthly') }}
    where direction = 'offtake'

),

sites as (

    select * from {{ ref('dim_site') }}

),

last_months as (

    select date_trunc('month', last_whole_date + 1)::date - 1 as last_month_end
    from {{ ref('int_sources_complete') }}
    where source_name = 'energy_meters'

),

periods as (

    select
        last_month_end as period_end,
        true as is_latest
    from last_months
    union
    select
        years.year_end::date as period_end,
        years.year_end::date = last_months.last_month_end as is_latest
    from last_months
    cross join
        unnest(generate_series(date '2019-12-31', last_months.last_month_end, interval 1 year)) as years (year_end)

),

measured as (

    select
        expected.site_id,
        periods.period_end,
        periods.is_latest,
        {{ exact_sum('months.energy_kwh', where="expected.carrier = 'electricity'") }} as electricity_kwh,
        {{ exact_sum('months.energy_kwh', where="expected.carrier = 'gas'") }} as gas_kwh,
        {{ exact_sum('months.energy_kwh') }} as energy_kwh,
        -- a part without a factor would make the whole too small
        case
            when count(months.energy_kwh) = count(months.primary_energy_kwh)
                then {{ exact_sum('months.primary_energy_kwh') }}
        end as primary_energy_kwh,
        {{ exact_sum('months.estimated_share * months.energy_kwh') }} as estimated_kwh,
        least(1.0, coalesce({{ exact_sum('months.measured_days') }}, 0) / sum(expected.expected_days)) as completeness,
        max(months.known_at) as known_at
    from periods
    inner join expected
        on
            periods.period_end >= expected.month_start_date
            and expected.month_start_date > periods.period_end - interval 1 year
    left join months
        on
            expected.site_id = months.site_id
            and expected.carrier = months.carrier
            and expected.month_start_date = months.month_start_date
    group by expected.site_id, periods.period_end, periods.is_latest

)

select
    measured.site_id,
    {{ first_day_of_year_to('measured.period_end') }} as period_start,
    measured.period_end,
    measured.period_end as date_key,
    measured.is_latest,
    sites.building_use,
    sites.floor_area_m2,
    measured.electricity_kwh,
    measured.gas_kwh,
    measured.energy_kwh,
    measured.primary_energy_kwh,
    case
        when measured.completeness >= 0.95 then measured.energy_kwh / nullif(sites.floor_area_m2, 0)
    end as kwh_per_m2,
    case
        when measured.completeness >= 0.95 then measured.primary_energy_kwh / nullif(sites.floor_area_m2, 0)
    end as primary_kwh_per_m2,
    case
        when coalesce(sites.floor_area_m2, 0) = 0 then 'oppervlakte ontbreekt'
        when measured.completeness < 0.95 then 'te weinig gemeten'
        else 'berekend'
    end as intensity_nl,
    measured.estimated_kwh / nullif(measured.energy_kwh, 0) as estimated_share,
    measured.completeness,
    measured.known_at
from measured
inner join sites
    on measured.site_id = sites.site_id
order by measured.period_end, measured.site_id
