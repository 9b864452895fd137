{{ config(tags=['kpi'], meta={'kpi_ids': ['own_base_load_night', 'own_base_load_weekend']}) }}

-- Electricity that the city's own buildings take when nobody is there, month by month, of the buildings that have
-- quarters or hours. How many of all buildings those are is the completeness: few of them is no base load of the city.
with base_loads as (

    select * from {{ ref('fct_energy_base_load') }}
    where carrier = 'electricity'

),

expected as (

    select
        month_start_date,
        count(distinct site_id) as sites
    from {{ ref('int_buildings__expected_days') }}
    where carrier = 'electricity'
    group by month_start_date

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'energy_meters'

),

-- a month that still runs has other weekends than a whole one
loads as (

    unpivot (
        select
            base_loads.site_id,
            base_loads.month_start_date,
            base_loads.known_at,
            base_loads.night_kw as own_base_load_night,
            base_loads.weekend_kw as own_base_load_weekend
        from base_loads
        cross join sources_complete
        where last_day(base_loads.month_start_date) <= sources_complete.last_whole_date
    )
    on own_base_load_night, own_base_load_weekend
    into name kpi_id value load_kw

),

months as (

    select
        kpi_id,
        month_start_date,
        count(*) as n,
        {{ exact_sum('load_kw') }} as load_kw,
        max(known_at) as known_at
    from loads
    group by kpi_id, month_start_date

)

select
    months.kpi_id,
    'kpi_energy_base_load' as kpi_model,
    cities.area_id,
    months.month_start_date as period_start,
    last_day(months.month_start_date) as period_end,
    last_day(months.month_start_date) as ref_date,
    months.load_kw as value,
    'kW' as unit,
    months.n,
    least(1.0, months.n / expected.sites) as completeness,
    sources_complete.complete_until,
    months.known_at,
    months.load_kw as numerator,
    null::double as denominator,
    'base-load-v1' as calculation_version,
    null::varchar as empty_reason_nl
from months
inner join expected
    on months.month_start_date = expected.month_start_date
cross join cities
cross join sources_complete
order by months.kpi_id, months.month_start_date
