-- A missing value never replaces a measured one. The date follows from start_at: naming it lets DuckDB push a
-- filter on dates below the window.
select *
from {{ ref('stg_energy_meters__readings') }}
{{ latest_version(
    key=['ean', 'meter_id', 'direction', 'register', 'unit', 'granularity', 'start_at', 'reading_date'],
    version=['(value is not null)']
) }}
