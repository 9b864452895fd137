{{ by_affected_dates('energy_meters', 'readings', 'reading_date') }}

with readings as (

    select * from {{ ref('stg_energy_meters__readings') }}
    {{ of_affected_dates('energy_meters', 'readings', 'reading_date') }}

)

select
    ean,
    meter_id,
    reading_date,
    min(carrier) as carrier,
    bool_and(has_check_digit) as has_check_digit
from readings
where value is not null
group by ean, meter_id, reading_date
