{{ config(tags=['data'], meta={'dagster': {'ref': {'name': 'int_energy_meters__downgrades_daily'}}}) }}

-- a validated reading that comes back as estimated: ask the grid operator which one holds. It casts doubt on every
-- figure made of readings
-- depends_on: {{ ref('stg_energy_meters__readings') }}
select
    reading_date,
    readings_downgraded
from {{ ref('int_energy_meters__downgrades_daily') }}
