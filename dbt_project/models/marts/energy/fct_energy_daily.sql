with daily as (

    select * from {{ ref('int_energy_meters__readings_daily') }}

),

site_meters as (

    select * from {{ ref('site_meters') }}

)

select
    daily.ean,
    daily.direction,
    daily.reading_date,
    daily.carrier,
    site_meters.site_id,
    daily.granularity,
    daily.energy_kwh,
    daily.volume_m3,
    daily.estimated_share,
    daily.intervals_measured,
    daily.completeness,
    daily.known_at
from daily
left join site_meters
    on
        daily.ean = site_meters.ean
        and daily.reading_date >= site_meters.valid_from
        and (site_meters.valid_to is null or daily.reading_date <= site_meters.valid_to)
order by daily.reading_date, daily.ean, daily.direction
