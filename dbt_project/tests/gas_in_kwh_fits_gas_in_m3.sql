{{ config(tags=['data']) }}

-- Belgian gas holds 9.5 to 12.8 kWh per m3 on its gross calorific value (low and high calorific gas)
with gas as (

    select
        ean,
        reading_date,
        granularity,
        {{ exact_sum('value', where="unit = 'kWh'") }} as energy_kwh,
        {{ exact_sum('value', where="unit = 'm3'") }} as volume_m3
    from {{ ref('int_energy_meters__readings_current') }}
    where carrier = 'gas' and direction = 'offtake' and granularity != 'P1M'
    group by ean, reading_date, granularity
    -- of an interval that lacks one of the two nothing can be said
    having count(value) filter (where unit = 'kWh') = count(value) filter (where unit = 'm3')

)

select *
from gas
where volume_m3 >= 1 and energy_kwh / volume_m3 not between 9.5 and 12.8
