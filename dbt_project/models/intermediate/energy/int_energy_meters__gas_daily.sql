{{ by_affected_dates('energy_meters', 'readings', 'reading_date') }}

with delivered as (

    select * from {{ ref('stg_energy_meters__readings') }}
    {{ of_affected_dates('energy_meters', 'readings', 'reading_date') }}

),

current_readings as (

    {{ current_readings('delivered') }}

)

select
    ean,
    reading_date,
    granularity,
    {{ exact_sum('value', where="unit = 'kWh'") }} as energy_kwh,
    {{ exact_sum('value', where="unit = 'm3'") }} as volume_m3
from current_readings
where carrier = 'gas' and direction = 'offtake' and granularity != 'P1M'
group by ean, reading_date, granularity
-- of an interval that lacks one of the two nothing can be said
having count(value) filter (where unit = 'kWh') = count(value) filter (where unit = 'm3')
