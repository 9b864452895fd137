{{ config(tags=['data']) }}

-- a month in which a meter usually takes five times the largest day, or a tenth of the usual one, of that month a year
-- before: kWh for m3, another factor, a meter that stopped. Only where it matters to the city's figure.
with months as (

    select
        ean,
        carrier,
        date_trunc('month', reading_date)::date as month_start_date,
        median(energy_kwh) as usual_kwh,
        max(energy_kwh) as most_kwh,
        sum(energy_kwh) as month_kwh,
        count(*) as days_count
    from {{ ref('fct_energy_daily') }}
    where direction = 'offtake' and energy_kwh is not null and completeness >= 1
    group by ean, carrier, month_start_date
    having count(*) >= 10

),

beside_the_past as (

    select
        months.*,
        -- where there is no such month, electricity is held against all months before; gas has its winters
        coalesce(
            year_before.most_kwh,
            max(case when months.carrier = 'electricity' then months.most_kwh end) over past
        ) as most_before_kwh,
        year_before.usual_kwh as usual_before_kwh,
        count(*) over past as months_before,
        sum(months.month_kwh) over (partition by months.carrier, months.month_start_date) as city_kwh
    from months
    left join months as year_before
        on
            months.ean = year_before.ean
            and months.month_start_date = year_before.month_start_date + interval 1 year
    window past as (
        partition by months.ean order by months.month_start_date rows between unbounded preceding and 1 preceding
    )

)

select
    ean,
    carrier,
    month_start_date,
    usual_kwh,
    most_before_kwh,
    usual_before_kwh
from beside_the_past
where
    months_before >= 3
    and (
        (usual_kwh > 5 * most_before_kwh and most_before_kwh >= 1)
        or (usual_kwh < 0.1 * usual_before_kwh and usual_before_kwh >= 1)
    )
    and greatest(month_kwh, usual_before_kwh * days_count) >= 0.02 * city_kwh
    -- the window of the KPIs: what came right since is no longer their affair
    and month_start_date > (select max(months.month_start_date) from months) - interval 13 month
