-- Days on which a validated reading came back as estimated.
{{ by_affected_dates('energy_meters', 'readings', 'reading_date') }}

with readings as (

    select * from {{ ref('stg_energy_meters__readings') }}
    {{ of_affected_dates('energy_meters', 'readings', 'reading_date') }}

),

-- only days that more than one delivery speaks of hold more than one version
days_with_versions as (

    select reading_date
    from readings
    group by reading_date
    having count(distinct batch_id) > 1

),

versions as (

    select
        readings.*,
        lag(readings.quality_rank) over (
            partition by
                readings.ean,
                readings.meter_id,
                readings.sub_ean,
                readings.direction,
                readings.register,
                readings.unit,
                readings.granularity,
                readings.start_at
            order by readings.supplied_at, readings.content_sha256
        ) as quality_rank_before
    from readings
    inner join days_with_versions
        on readings.reading_date = days_with_versions.reading_date
    -- a missing value replaces nothing, so it lowers nothing
    where readings.value is not null

)

select
    reading_date,
    count(*) as readings_downgraded
from versions
where quality_rank < quality_rank_before
group by reading_date
