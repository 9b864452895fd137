-- Each month of a building beside the same month of 2019, the year that the city promised against. Raw energy: heating
-- stands beside heating of another winter, so gas is normalised on both sides as well, where both can be.
with months as (

    select * from {{ ref('fct_energy_monthly') }}
    where direction = 'offtake'

)

select
    months.site_id,
    months.carrier,
    months.month_start_date,
    months.date_key,
    months.energy_kwh,
    base_months.energy_kwh as base_energy_kwh,
    round(months.energy_kwh - base_months.energy_kwh, 6) as change_kwh,
    months.normalised_kwh,
    base_months.normalised_kwh as base_normalised_kwh,
    months.completeness,
    base_months.completeness as base_completeness,
    greatest(months.known_at, base_months.known_at) as known_at
from months
inner join months as base_months
    on
        months.site_id = base_months.site_id
        and months.carrier = base_months.carrier
        and month(months.month_start_date) = month(base_months.month_start_date)
        and year(base_months.month_start_date) = 2019
where year(months.month_start_date) > 2019
order by months.month_start_date, months.site_id, months.carrier
