{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Where each target stands on the date its newest value speaks of; the build's date plays no part here.
with paths as (

    select * from {{ ref('int_target_starts') }}

),

newest as (

    select *
    from {{ ref('int_target_forecasts') }}
    qualify row_number() over (partition by target_id order by ref_date desc) = 1

),

observations as (

    select * from {{ ref('int_target_observations') }}

),

statuses as (

    select * from {{ ref('int_target_statuses') }}

),

-- the newest figure that cannot be what was meant, where nothing later counts
doubted as (

    select
        observations.target_id,
        observations.ref_date,
        observations.value,
        observations.doubt_nl
    from observations
    left join newest
        on observations.target_id = newest.target_id
    where
        observations.doubt_nl is not null
        and observations.ref_date > coalesce(newest.ref_date, date '0001-01-01')
    qualify row_number() over (partition by observations.target_id order by observations.ref_date desc) = 1

),

cities as (

    select * from {{ ref('city') }}

),

measurements as (

    select observations.*
    from {{ ref('fct_kpi_observations') }} as observations
    inner join cities
        on observations.area_id = cities.area_id

),

-- why a figure that is measured has no value at all
unmeasured as (

    select
        kpi_id,
        max_by(empty_reason_nl, ref_date) as empty_reason_nl
    from measurements
    group by kpi_id
    having count(value) = 0

),

-- the figure that stands beside the value and does not decide, no later than it
beside as (

    select
        paths.target_id,
        max_by(measurements.value, measurements.ref_date) as value,
        max(measurements.ref_date) as ref_date
    from paths
    inner join newest
        on paths.target_id = newest.target_id
    inner join measurements
        on
            paths.beside_kpi_id = measurements.kpi_id
            and newest.ref_date >= measurements.ref_date
    where measurements.value is not null
    group by paths.target_id

),

evaluated as (

    select
        target_id,
        ref_date,
        value
    from {{ ref('int_target_forecasts') }}

)

select
    paths.target_id,
    paths.other_reading_of,
    paths.reading_nl,
    paths.story_id,
    paths.alias_of,
    paths.kpi_id,
    coalesce(observations.value_kpi_id, paths.value_kpi_id) as value_kpi_id,
    paths.department_id,
    paths.data_owner_department_id,
    paths.section,
    paths.title_nl,
    paths.title_en,
    paths.unit,
    paths.direction,
    paths.direction_sign,
    paths.baseline_value,
    paths.baseline_date,
    paths.is_start_measured,
    paths.target_value,
    paths.target_date,
    paths.trajectory,
    paths.series_kind,
    paths.season_weights,
    paths.milestones,
    paths.tolerance,
    paths.cadence_days,
    paths.publication_lag_days,
    paths.stale_factor,
    paths.registry_status,
    paths.deprecated_reason,
    paths.is_binding,
    paths.is_public,
    paths.is_contested,
    paths.definition_version,
    newest.ref_date,
    observations.complete_until,
    newest.value,
    observations.completeness,
    observations.known_at,
    newest.required_value,
    newest.time_share,
    newest.gap,
    newest.progress,
    newest.attainment,
    newest.p_reach,
    newest.forecast_value,
    newest.forecast_low,
    newest.forecast_high,
    newest.recent_pace_per_year,
    newest.is_indicative,
    newest.is_vague,
    newest.is_plan_unknown,
    newest.is_bent,
    newest.year_share,
    newest.judged_gap,
    newest.is_running,
    newest.is_sticky,
    newest.may_be_behind,
    doubted.ref_date as doubted_on,
    doubted.value as doubted_value,
    doubted.doubt_nl,
    unmeasured.empty_reason_nl,
    paths.beside_kpi_id,
    beside.ref_date as beside_date,
    beside.value as beside_value,
    unmeasured_beside.empty_reason_nl as beside_reason_nl,
    newest.history_hash,
    statuses.wanted_status,
    statuses.status as folded_status,
    statuses.status_since,
    case when statuses.status = 'reached' then statuses.status_since end as reached_on,
    case when statuses.status = 'reached' then reached.value end as reached_value
from paths
left join newest
    on paths.target_id = newest.target_id
left join observations
    on
        newest.target_id = observations.target_id
        and newest.ref_date = observations.ref_date
left join statuses
    on
        newest.target_id = statuses.target_id
        and newest.ref_date = statuses.ref_date
left join doubted
    on paths.target_id = doubted.target_id
left join unmeasured
    on paths.value_kpi_id = unmeasured.kpi_id
left join unmeasured as unmeasured_beside
    on paths.beside_kpi_id = unmeasured_beside.kpi_id
left join beside
    on paths.target_id = beside.target_id
left join evaluated as reached
    on
        statuses.target_id = reached.target_id
        and statuses.status_since = reached.ref_date
