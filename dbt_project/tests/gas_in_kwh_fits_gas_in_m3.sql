{{ config(tags=['data'], meta={'dagster': {'ref': {'name': 'int_energy_meters__gas_daily'}}}) }}

-- Belgian gas holds 9.5 to 12.8 kWh per m3 on its gross calorific value (low and high calorific gas). It casts doubt
-- on every figure made of readings
-- depends_on: {{ ref('stg_energy_meters__readings') }}
select *
from {{ ref('int_energy_meters__gas_daily') }}
where volume_m3 >= 1 and energy_kwh / volume_m3 not between 9.5 and 12.8
