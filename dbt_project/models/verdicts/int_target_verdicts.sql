{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- The status of each target today: the fold, and what the date of the build and the quality of the data make of it.
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
        coalesce(dq_verdicts.dq_reasons, ['geen oordeel over de gegevens']) as dq_reasons,
        -- for a plan that is there or is not only the calendar moves
        case
            when positions.trajectory = 'step' and positions.baseline_date < positions.target_date
                then
                    positions.baseline_date
                    + ceil(0.75 * date_diff('day', positions.baseline_date, positions.target_date))::integer
        end as last_quarter_date
    from positions
    left join builds
        on true
    left join dq_verdicts
        on positions.value_kpi_id = dq_verdicts.kpi_id

),

with_status as (

    select
        *,
        case
            when registry_status in ('cancelled', 'contested') then registry_status
            when as_of_date < baseline_date then 'not_started'
            when found_dq_verdict = 'unverified' then 'unverified'
            -- data that are not there have no verdict on their quality either
            when value is null then 'no_data'
            when dq_verdict = 'unverified' then 'unverified'
            -- it has begun, and all figures are older than its start
            when folded_status = 'not_started' then 'no_data'
            when folded_status in ('reached', 'overdue') then folded_status
            when as_of_date > target_date and target_value is not null then 'overdue'
            when
                date_diff('day', ref_date, as_of_date)
                > coalesce(stale_factor, 1.5) * cadence_days + publication_lag_days
                then 'stale'
            when folded_status = 'on_track' and as_of_date >= last_quarter_date then 'at_risk'
            else folded_status
        end as status
    from judged

)

select
    * exclude (found_dq_verdict, status_since, last_quarter_date),
    case
        when status = 'overdue' then target_date + 1
        when status = 'stale' then ref_date
        when status = folded_status then status_since
        when status = 'at_risk' then last_quarter_date
    end as status_since
from with_status
