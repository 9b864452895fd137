-- From the readings themselves: a serial number not seen before is a meter that was replaced.
with readings as (

    select * from {{ ref('int_energy_meters__meters_daily') }}

),

meters as (

    select distinct ean from {{ ref('int_buildings__meters') }}

)

select
    readings.ean,
    readings.meter_id,
    min(readings.carrier) as carrier,
    min(readings.reading_date) as first_seen_date,
    max(readings.reading_date) as last_seen_date,
    bool_and(readings.has_check_digit) as has_check_digit
from readings
inner join meters
    on readings.ean = meters.ean
group by readings.ean, readings.meter_id
order by readings.ean, readings.meter_id
