with daily as (

    select * from {{ ref('int_energy_meters__readings_daily') }}

),

-- neither a dwelling nor what left the register has a day of its own here
meters as (

    select * from {{ ref('int_buildings__meters') }}

)

select
    daily.ean,
    daily.direction,
    daily.reading_date,
    daily.reading_date as date_key,
    daily.carrier,
    meters.site_id,
    daily.granularity,
    daily.energy_kwh,
    daily.volume_m3,
    daily.night_kwh,
    daily.night_hours,
    daily.estimated_share,
    daily.intervals_measured,
    daily.completeness,
    daily.known_at
from daily
inner join meters
    on
        daily.ean = meters.ean
        and daily.reading_date >= meters.valid_from_date
        and (meters.valid_to_date is null or daily.reading_date <= meters.valid_to_date)
-- where the register gives one access point to two buildings, its energy still counts once
qualify
    row_number() over (
        partition by daily.ean, daily.direction, daily.reading_date
        order by meters.valid_from_date desc, meters.site_id asc
    ) = 1
order by daily.reading_date, daily.ean, daily.direction
