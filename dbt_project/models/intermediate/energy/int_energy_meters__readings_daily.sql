{{ by_affected_dates('energy_meters', 'readings', 'reading_date') }}

with delivered as (

    select * from {{ ref('stg_energy_meters__readings') }}
    {{ of_affected_dates('energy_meters', 'readings', 'reading_date') }}

),

current_readings as (

    {{ current_readings('delivered') }}

),

readings as (

    select *
    from current_readings
    where
        unit != 'kVArh'
        -- of a dwelling there are months only, and nobody's days are made of those
        and granularity != 'P1M'
        -- what a submeter takes is part of what its access point takes
        and (sub_ean = '' or direction in ('production', 'auxiliary'))

),

calendar_days as (

    select
        int_calendar_days.calendar_date,
        int_calendar_days.hours_in_day,
        timezone(city.time_zone, int_calendar_days.calendar_date::timestamp) as midnight_at
    from {{ ref('int_calendar_days') }} as int_calendar_days
    cross join {{ ref('city') }} as city

),

-- The same energy may come as a total or as day and night, of the access point or of its meters and submeters: of
-- one interval only what was measured and delivered last counts, in one of these ways.
ways_marked as (

    select
        *,
        first_value(meter_id = '') over one_interval as is_access_point_meant,
        first_value(sub_ean = '') over one_interval as is_head_meant,
        first_value(register = 'total') over one_interval as is_total_meant
    from readings
    window one_interval as (
        partition by ean, direction, unit, granularity, start_at, reading_date
        order by
            value is not null desc, supplied_at desc, sub_ean = '' desc, meter_id = '' desc, register = 'total' desc
    )

),

counted as (

    select
        ways_marked.*,
        -- counted from midnight, so that a change of clock leaves it three hours
        ways_marked.start_at >= calendar_days.midnight_at + interval 1 hour
        and ways_marked.start_at < calendar_days.midnight_at + interval 4 hour
        and ways_marked.granularity in ('PT15M', 'PT1H') as is_night
    from ways_marked
    left join calendar_days
        on ways_marked.reading_date = calendar_days.calendar_date
    where
        (ways_marked.meter_id = '') = ways_marked.is_access_point_meant
        and (ways_marked.sub_ean = '') = ways_marked.is_head_meant
        and (ways_marked.register = 'total') = ways_marked.is_total_meant

),

per_granularity as (

    select
        counted.ean,
        counted.carrier,
        counted.direction,
        counted.reading_date,
        counted.unit,
        counted.granularity,
        {{ exact_sum('counted.value') }} as volume,
        count(distinct counted.start_at) filter (
            where counted.value is not null
        ) as intervals_measured,
        {{ exact_sum('counted.value', where="counted.quality = 'estimated'") }} as volume_estimated,
        {{ exact_sum('counted.value', where='counted.is_night') }} as night_volume,
        count(distinct counted.start_at) filter (
            where counted.value is not null and counted.is_night
        ) as night_intervals,
        max(counted.known_at) as known_at
    from counted
    group by all

),

with_completeness as (

    select
        per_granularity.*,
        max(per_granularity.volume) filter (where per_granularity.granularity = 'P1D') over (
            partition by
                per_granularity.ean,
                per_granularity.direction,
                per_granularity.reading_date,
                per_granularity.unit
        ) as day_total,
        least(
            1.0,
            per_granularity.intervals_measured / case per_granularity.granularity
                when 'PT15M' then 4 * coalesce(calendar_days.hours_in_day, 24)
                when 'PT1H' then coalesce(calendar_days.hours_in_day, 24)
                else 1
            end
        ) as completeness
    from per_granularity
    left join calendar_days
        on per_granularity.reading_date = calendar_days.calendar_date

)

select
    ean,
    carrier,
    direction,
    reading_date,
    granularity,
    case when unit = 'kWh' then volume end as energy_kwh,
    case when unit = 'm3' then volume end as volume_m3,
    case when unit = 'kWh' then night_volume end as night_kwh,
    case when unit = 'kWh' then night_intervals / case granularity when 'PT15M' then 4 else 1 end end as night_hours,
    case when unit = 'kWh' and granularity != 'P1D' then day_total end as day_total_kwh,
    coalesce(volume_estimated, 0) / nullif(volume, 0) as estimated_share,
    intervals_measured,
    completeness,
    known_at
from with_completeness
-- of one access point and day never two granularities, and never gas in kWh and in m3
qualify row_number() over (
    partition by ean, direction, reading_date
    order by
        (unit = 'kWh' and intervals_measured > 0) desc,
        (completeness >= 1) desc,
        case when completeness < 1 then completeness end desc nulls last,
        case granularity when 'PT15M' then 1 when 'PT1H' then 2 else 3 end asc,
        unit asc
) = 1
