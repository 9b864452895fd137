{{ config(tags=['data']) }}

-- a month of which every day is a whole ten of kWh was typed or estimated, not measured
with months as (

    select
        ean,
        carrier,
        date_trunc('month', reading_date)::date as month_start_date,
        sum(energy_kwh) as month_kwh,
        count(*) filter (where energy_kwh > 0) as days_count,
        count(distinct energy_kwh) filter (where energy_kwh > 0) as values_count,
        bool_and(energy_kwh % 10 = 0) as is_round
    from {{ ref('fct_energy_daily') }}
    where direction = 'offtake' and energy_kwh is not null and completeness >= 1
    group by ean, carrier, month_start_date

),

beside_the_city as (

    select
        *,
        sum(month_kwh) over (partition by carrier, month_start_date) as city_kwh
    from months

)

select
    ean,
    carrier,
    month_start_date,
    days_count,
    month_kwh
from beside_the_city
where
    is_round
    and days_count >= 20
    -- one value over and over is a flat line, or a meter that counts so
    and values_count > 1
    and month_kwh >= 0.02 * city_kwh
    and month_start_date > (select max(months.month_start_date) from months) - interval 13 month
