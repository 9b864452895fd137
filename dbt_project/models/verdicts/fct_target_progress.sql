-- The last judgement of each month in which a target had a figure: what a chart over months or a table by department
-- and month is drawn from. A month without a figure has no row, for nothing is known of it.
with history as (

    select
        *,
        last_day(ref_date) as month_end_date
    from {{ ref('fct_target_status_history') }}
    qualify row_number() over (partition by target_id, last_day(ref_date) order by ref_date desc) = 1

),

forecasts as (

    select * from {{ ref('int_target_forecasts') }}

),

verdicts as (

    select * from {{ ref('fct_target_verdicts') }}

)

select
    history.target_id,
    history.kpi_id,
    verdicts.department_id,
    history.month_end_date,
    history.month_end_date as date_key,
    history.ref_date,
    history.value,
    history.required_value,
    verdicts.target_value,
    history.gap,
    -- of the way from start to target; where there is none, of what the path asked
    round(
        history.gap / coalesce(
            nullif(abs(verdicts.target_value - verdicts.baseline_value), 0), nullif(abs(history.required_value), 0)
        ), 6
    ) as relative_gap,
    forecasts.recent_pace_per_year,
    forecasts.is_indicative,
    verdicts.unit,
    history.status,
    history.status_since,
    verdicts.is_disputed,
    history.is_running,
    history.is_restatement,
    history.definition_version,
    history.complete_until,
    history.known_at
from history
inner join forecasts
    on
        history.target_id = forecasts.target_id
        and history.ref_date = forecasts.ref_date
inner join verdicts
    on history.target_id = verdicts.target_id
order by history.target_id, history.month_end_date
