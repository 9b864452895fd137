{{ config(tags=['data']) }}

-- nights that take twice the power that a meter ever drew before, by night or on average by day: no building does that
with daily as (

    select
        ean,
        carrier,
        reading_date,
        energy_kwh,
        night_kwh / nullif(night_hours, 0) as night_kw,
        greatest(energy_kwh / 24, night_kwh / nullif(night_hours, 0)) as drawn_kw,
        date_trunc('month', reading_date)::date as month_start_date
    from {{ ref('fct_energy_daily') }}
    where direction = 'offtake' and energy_kwh is not null and completeness >= 1

),

beside_the_past as (

    select
        *,
        max(drawn_kw) over past as capacity_kw,
        count(*) over past as days_before,
        sum(energy_kwh) over (partition by carrier, month_start_date) as city_kwh
    from daily
    window past as (
        partition by ean
        order by month_start_date
        range between unbounded preceding and interval 1 month preceding
    )

)

select
    ean,
    carrier,
    month_start_date,
    max(night_kw) as night_kw,
    any_value(capacity_kw) as capacity_kw,
    count(*) as nights_count
from beside_the_past
where
    days_before >= case carrier when 'gas' then 365 else 90 end
    and capacity_kw >= 1
    and night_kw > 2 * capacity_kw
    and month_start_date > (select max(daily.month_start_date) from daily) - interval 13 month
group by ean, carrier, month_start_date
having count(*) >= 3 and sum(energy_kwh) >= 0.02 * any_value(city_kwh)
