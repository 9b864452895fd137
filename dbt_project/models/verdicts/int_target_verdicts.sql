{{ config(materialized="table", schema="intermediate", contract={"enforced": false}) }}

-- The status of each target today: the fold, and what the date of the build and the quality of the data make of it.
-- What is asked from here on, and how fast, counts from today, however old the newest value is.
with positions as (

    select * from {{ ref('int_target_positions') }}

),

builds as (

    select * from {{ ref('dim_build') }}

),

dq_verdicts as (

    select * from {{ ref('stg_quality__dq_verdicts') }}

),

judged as (

    select
        positions.*,
        coalesce(builds.as_of_date, {{ as_of_date('null::date') }}) as as_of_date,
        builds.build_id,
        dq_verdicts.dq_verdict as found_dq_verdict,
        coalesce(dq_verdicts.dq_verdict, 'unverified') as dq_verdict,
        list_concat(
            coalesce(dq_verdicts.dq_reasons, ['geen oordeel over de gegevens']),
            case when positions.doubt_nl is null then [] else [positions.doubt_nl] end
        ) as dq_reasons,
        -- for a plan that is there or is not only the calendar moves
        case
            when positions.trajectory = 'step' and positions.baseline_date < positions.target_date
                then
                    positions.baseline_date
                    + ceil(0.75 * date_diff('day', positions.baseline_date, positions.target_date))::integer
        end as last_quarter_date,
        -- until then the figure of the deadline may still come
        positions.target_date + positions.cadence_days::integer + positions.publication_lag_days::integer
            as last_awaited_date
    from positions
    left join builds
        on true
    left join dq_verdicts
        on positions.value_kpi_id = dq_verdicts.kpi_id

),

asked as (

    select
        judged.*,
        round({{ path_value('judged', 'judged.as_of_date') }}, 6) as required_today,
        -- a quota starts again each year: a value of an earlier one is no part of the way
        case
            when judged.trajectory != 'annual_quota' or year(judged.ref_date) = year(judged.as_of_date)
                then {{ needed_pace(
                    'judged', 'greatest(judged.as_of_date, judged.ref_date, judged.baseline_date)', 'judged.value'
                ) }}
        end as needed_pace
    from judged

),

with_status as (

    select
        *,
        case
            when registry_status in ('cancelled', 'contested') then registry_status
            when as_of_date < baseline_date then 'not_started'
            when found_dq_verdict = 'unverified' or doubt_nl is not null then 'unverified'
            -- data that are not there have no verdict on their quality either
            when value is null then 'no_data'
            when dq_verdict = 'unverified' then 'unverified'
            -- it has begun, and all figures are older than its start
            when folded_status = 'not_started' then 'no_data'
            when folded_status = 'overdue' then folded_status
            -- counted for good, or shown by the figure of the deadline; what must hold needs a recent figure
            when folded_status = 'reached' and (is_sticky or ref_date >= target_date) then folded_status
            when as_of_date > target_date and target_value is not null and ref_date >= target_date then 'overdue'
            when as_of_date > target_date and target_value is not null and as_of_date <= last_awaited_date
                then 'awaiting_figure'
            when as_of_date > target_date and target_value is not null and folded_status != 'reached' then 'overdue'
            -- last year's figure says nothing of a promise for this year
            when trajectory = 'annual_quota' and year(ref_date) < year(as_of_date) then 'stale'
            when
                date_diff('day', ref_date, as_of_date)
                > coalesce(stale_factor, 1.5) * cadence_days + publication_lag_days
                then 'stale'
            when folded_status = 'on_track' and as_of_date >= last_quarter_date then 'at_risk'
            else folded_status
        end as status
    from asked

)

select
    * exclude (found_dq_verdict, status_since, last_quarter_date, last_awaited_date, needed_pace),
    round(needed_pace, 6) as required_pace_per_year,
    round(recent_pace_per_year / nullif(needed_pace, 0), 6) as pace_ratio,
    -- how many times the recent pace is needed; the other way on, no number of times is enough
    case
        when recent_pace_per_year * needed_pace > 0 then round(needed_pace / recent_pace_per_year, 6)
    end as acceleration,
    case
        when status in ('overdue', 'awaiting_figure') then target_date + 1
        when status = 'stale' then ref_date
        when status = folded_status then status_since
        when status = 'at_risk' then last_quarter_date
    end as status_since
from with_status
