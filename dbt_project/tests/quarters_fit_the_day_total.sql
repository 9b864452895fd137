{{ config(tags=['data']) }}

-- what the grid operator gives as a day and as its quarters is the same energy, but for what rounding leaves
select
    ean,
    direction,
    reading_date,
    energy_kwh,
    day_total_kwh
from {{ ref('int_energy_meters__readings_daily') }}
where
    completeness >= 1
    and abs(energy_kwh - day_total_kwh) > greatest(0.05, 0.005 * abs(day_total_kwh))
