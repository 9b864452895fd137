-- A missing value never replaces a measured one. The date follows from start_at: naming it lets DuckDB push a
-- filter on dates below the window. The way a reading came in is no part of it: the other way repeats it.
{{ latest_version(
    ref('stg_energy_meters__readings'),
    key=[
        'ean', 'meter_id', 'sub_ean', 'direction', 'register', 'unit', 'granularity', 'start_at', 'reading_date'
    ],
    version=['(value is not null)'],
    of_the_delivery=['source']
) }}
