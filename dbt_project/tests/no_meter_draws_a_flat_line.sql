{{ config(tags=['data']) }}

-- quarters or hours that add up to the very same energy for two weeks on end: a meter that hangs, or a copied day
with daily as (

    select
        *,
        date_trunc('month', reading_date)::date as month_start_date,
        sum(energy_kwh) over (partition by carrier, date_trunc('month', reading_date)) as city_kwh,
        lag(energy_kwh) over (partition by ean order by reading_date) as kwh_before,
        lag(reading_date) over (partition by ean order by reading_date) as date_before
    from {{ ref('fct_energy_daily') }}
    where direction = 'offtake' and energy_kwh is not null and completeness >= 1

),

numbered as (

    select
        *,
        count(*) filter (
            where kwh_before is null or kwh_before != energy_kwh or date_before != reading_date - 1
        ) over (partition by ean order by reading_date) as line_no
    from daily
    -- of a small pump a whole day may well be the same every day
    where granularity in ('PT15M', 'PT1H')

)

select
    ean,
    carrier,
    min(reading_date) as first_date,
    max(reading_date) as last_date,
    any_value(energy_kwh) as day_kwh
from numbered
where
    energy_kwh > 0
    and reading_date > (select max(daily.reading_date) from daily) - interval 13 month
group by ean, carrier, line_no
having count(*) >= 14 and sum(energy_kwh) >= 0.02 * max(city_kwh)
