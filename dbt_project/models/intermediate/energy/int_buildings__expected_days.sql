-- How many days of readings the register promises per building, carrier and month, as far as the source speaks.
with meters as (

    select * from {{ ref('int_buildings__meters') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'energy_meters'

),

-- 2019 is the year that the pact compares with
periods as (

    select
        meters.site_id,
        meters.carrier,
        meters.ean,
        greatest(meters.valid_from_date, date '2019-01-01') as from_date,
        least(meters.valid_to_date, sources_complete.last_whole_date) as to_date
    from meters
    cross join sources_complete

),

months as (

    select
        *,
        unnest(generate_series(date_trunc('month', from_date), to_date, interval 1 month))::date as month_start_date
    from periods

)

select
    site_id,
    carrier,
    month_start_date,
    count(distinct ean) as access_points,
    sum(
        date_diff('day', greatest(from_date, month_start_date), least(to_date, last_day(month_start_date))) + 1
    )::double as expected_days
from months
group by site_id, carrier, month_start_date
