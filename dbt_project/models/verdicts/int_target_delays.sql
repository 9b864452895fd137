{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Months behind: how long ago the path asked for what there is today. Negative is ahead.
with positions as (

    select * from {{ ref('int_target_positions') }}
    where
        (baseline_date < target_date or (baseline_date < ref_date and trajectory = 'compound' and target_date is null))
        and gap is not null
        and trajectory not in ('constant', 'annual_quota', 'step', 'none')
        -- a few deaths more or less are no months of delay
        and coalesce(series_kind, 'none') != 'rare_count'

),

-- on a straight or seasonal path, the share of the way that is missing, in months of the whole window
straight as (

    select
        target_id,
        (required_value - value) / nullif(target_value - baseline_value, 0)
        * date_diff('day', baseline_date, target_date) / 365.25 * 12 as months_behind
    from positions
    where not {{ has_milestones('trajectory') }} and trajectory != 'compound'

),

-- on a bent path, the last month whose end asked no more than what there is
month_ends as (

    select
        positions.target_id,
        max(last_day(starts.month_start::date)) as month_end
    from positions
    cross join
        unnest(generate_series(positions.baseline_date, positions.target_date, interval 1 month))
            as starts (month_start)
    where
        ({{ has_milestones('positions.trajectory') }} or positions.trajectory = 'compound')
        and positions.direction_sign
        * (positions.value - ({{ path_value('positions', 'last_day(starts.month_start::date)') }})) >= 0
    group by positions.target_id

),

bent as (

    select
        positions.target_id,
        {{ month_number('positions.ref_date') }}
        - {{ month_number('coalesce(month_ends.month_end, positions.baseline_date)') }} as months_behind
    from positions
    left join month_ends
        on positions.target_id = month_ends.target_id
    where
        ({{ has_milestones('positions.trajectory') }} or positions.trajectory = 'compound')
        and positions.target_date is not null

),

-- a yearly rate without an end: after how many years it would have come to what there is
open_ended as (

    select
        target_id,
        12 * (
            {{ fractional_year('ref_date') }} - {{ fractional_year('baseline_date') }}
            - ln(1 + value / 100) / ln(1 + target_value / 100)
        ) as months_behind
    from positions
    where
        trajectory = 'compound'
        and target_date is null
        and value > -100
        and target_value > -100
        and target_value != 0

)

select
    target_id,
    round(months_behind, 3) as months_behind
from straight
union all
select
    target_id,
    round(months_behind, 3) as months_behind
from bent
union all
select
    target_id,
    round(months_behind, 3) + 0.0 as months_behind
from open_ended
