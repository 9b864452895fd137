{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='reading_date',
        on_schema_change='fail',
        pre_hook="{{ delete_affected_dates('energy_meters', 'readings', 'reading_date') }}"
    )
}}

with affected_dates as (

    select event_date
    from {{ source('pipeline', 'affected') }}
    where source = 'energy_meters' and table_name = 'readings'

),

readings as (

    select *
    from {{ ref('int_energy_meters__readings_current') }}
    where
        unit != 'kVArh'
        {% if is_incremental() %}
        and reading_date in (select affected_dates.event_date from affected_dates)
        {% endif %}

),

calendar_days as (

    select * from {{ ref('int_calendar_days') }}

),

-- a total register holds day and night already
registers_marked as (

    select
        *,
        bool_or(register = 'total' and value is not null) over (
            partition by ean, direction, reading_date, unit, granularity
        ) as has_total
    from readings

),

per_granularity as (

    select
        registers_marked.ean,
        registers_marked.carrier,
        registers_marked.direction,
        registers_marked.reading_date,
        registers_marked.unit,
        registers_marked.granularity,
        {{ exact_sum('registers_marked.value') }} as volume,
        count(distinct registers_marked.start_at) filter (
            where registers_marked.value is not null
        ) as intervals_measured,
        {{ exact_sum('registers_marked.value', where="registers_marked.quality = 'estimated'") }} as volume_estimated,
        max(registers_marked.known_at) as known_at
    from registers_marked
    where registers_marked.register = 'total' or not registers_marked.has_total
    group by all

),

with_completeness as (

    select
        per_granularity.*,
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
