-- Every moment at which a target was judged, on what is known now. What was said at the time is in the log.
with forecasts as (

    select * from {{ ref('int_target_forecasts') }}

),

statuses as (

    select * from {{ ref('int_target_statuses') }}

),

observations as (

    select * from {{ ref('int_target_observations') }}

),

paths as (

    select * from {{ ref('int_target_paths') }}

)

select
    forecasts.target_id,
    paths.kpi_id,
    forecasts.ref_date,
    forecasts.ref_date as date_key,
    forecasts.value,
    forecasts.required_value,
    forecasts.gap,
    forecasts.p_reach,
    forecasts.forecast_value,
    forecasts.raw_status,
    statuses.status,
    statuses.status_since,
    forecasts.is_running,
    -- what an earlier value rests on came to be known after this one, so nobody could read this judgement just so then;
    -- whether that value was another before is not kept here, but in the log of decisions
    coalesce(
        max(observations.known_at) over (
            partition by forecasts.target_id order by forecasts.ref_date
            rows between unbounded preceding and 1 preceding
        ) > observations.known_at,
        false
    ) as is_restatement,
    forecasts.history_hash,
    paths.definition_version,
    observations.complete_until,
    observations.known_at
from forecasts
inner join statuses
    on
        forecasts.target_id = statuses.target_id
        and forecasts.ref_date = statuses.ref_date
inner join observations
    on
        forecasts.target_id = observations.target_id
        and forecasts.ref_date = observations.ref_date
inner join paths
    on forecasts.target_id = paths.target_id
where paths.other_reading_of is null
order by forecasts.target_id, forecasts.ref_date
