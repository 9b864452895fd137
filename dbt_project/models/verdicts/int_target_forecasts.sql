{{ config(materialized="table", schema="intermediate", contract={"enforced": false}) }}

-- Per evaluation: the pace of late, where it ends, how sure that is, and the score that follows from it alone.
with paths as (

    select * from {{ ref('int_target_starts') }}

),

evaluations as (

    select * from {{ ref('int_target_evaluations') }}

),

placed as (

    select
        evaluations.target_id,
        evaluations.ref_date,
        evaluations.value,
        evaluations.n,
        evaluations.required_value,
        evaluations.time_share,
        evaluations.known_since,
        evaluations.clock,
        evaluations.month_number,
        evaluations.is_running,
        evaluations.history_hash,
        paths.baseline_value,
        paths.baseline_date,
        paths.target_value,
        paths.target_date,
        paths.trajectory,
        paths.tolerance,
        paths.direction_sign,
        paths.is_start_measured,
        coalesce(paths.min_points, 4) as min_points,
        coalesce(paths.series_kind, 'none') as series_kind,
        -- what is counted up and what is there or is not stays reached
        (paths.is_cumulative and paths.trajectory != 'annual_quota') or paths.trajectory = 'step' as is_sticky,
        -- weather, or a sample: one value may be an odd one
        coalesce(paths.series_kind, 'none') in ('level', 'share') as is_noisy,
        -- the figure of the deadline itself
        coalesce(evaluations.ref_date >= paths.target_date, false) as is_final,
        paths.direction_sign * (evaluations.value - evaluations.required_value) as gap,
        (evaluations.value - paths.baseline_value) / nullif(paths.target_value - paths.baseline_value, 0) as progress,
        -- earned over asked so far: the share of time does this only for a straight path
        case
            when paths.trajectory = 'annual_quota' then evaluations.value / nullif(evaluations.required_value, 0)
            when paths.trajectory not in ('constant', 'step', 'none')
                then
                    (evaluations.value - paths.baseline_value)
                    / nullif(evaluations.required_value - paths.baseline_value, 0)
        end as attainment,
        {{ recent_points(
            'evaluations.points', 'evaluations.ref_date', 'paths.cadence_days', 'evaluations.is_yearly'
        ) }} as points,
        case when paths.baseline_date < evaluations.ref_date - 30 then paths.baseline_value end as start_value,
        case
            when paths.baseline_date < evaluations.ref_date - 30 and paths.baseline_value is not null
                then {{ pace_clock('paths', 'paths.baseline_date') }}
        end as start_clock,
        case
            when paths.trajectory not in ('constant', 'step', 'none', 'annual_quota')
                then nullif(greatest(0, {{ deadline_clock('paths') }} - evaluations.clock), 0)
        end as years_ahead,
        nullif(greatest(0, {{ month_number('paths.target_date') }} - evaluations.month_number), 0) as months_ahead,
        {{ needed_pace('paths', 'evaluations.ref_date', 'evaluations.value') }} as required_pace
    from evaluations
    inner join paths
        on evaluations.target_id = paths.target_id

),

with_method as (

    select
        *,
        len(points) as n_points,
        struct_extract(points[1], 'v') as oldest_value,
        struct_extract(points[1], 'x') as oldest_clock,
        month_number - struct_extract(points[1], 'm') as months_known,
        case
            when trajectory = 'annual_quota' then 'share of the year'
            when trajectory = 'constant' and series_kind = 'share' and n >= 2 then 'wilson'
            when series_kind = 'rare_count' then 'poisson'
            when series_kind = 'none' or trajectory = 'step' then 'none'
            when series_kind = 'event' and len(points) > min_points then 'drift'
            when series_kind in ('level', 'share') and len(points) >= greatest(4, min_points) then 'theil_sen'
            when len(points) >= 2 or start_value is not null then 'endpoints'
            else 'none'
        end as method
    from placed

),

with_slopes as (

    select
        *,
        case when method = 'theil_sen' then {{ pair_slopes('points') }} end as slopes
    from with_method

),

with_pace as (

    select
        *,
        case method
            when 'share of the year' then value / {{ share_of_year('ref_date') }}
            when 'drift' then (value - oldest_value) / nullif(clock - oldest_clock, 0)
            when 'theil_sen' then list_aggregate(slopes, 'median')
            when 'endpoints'
                then
                    (value - coalesce(start_value, oldest_value))
                    / nullif(clock - coalesce(start_clock, oldest_clock), 0)
        end as pace,
        -- the counts of three years in a row together, and what the path asked of those years
        case
            when method = 'poisson' and {{ are_three_years('points') }}
                then list_sum(list_transform(points[-3:], lambda point: struct_extract(point, 'v')))
        end as three_years,
        case
            when method = 'poisson' and {{ are_three_years('points') }}
                then list_sum(list_transform(points[-3:], lambda point: struct_extract(point, 'asked')))
        end as three_years_asked,
        case when method = 'wilson' then direction_sign * (target_value - direction_sign * tolerance) / 100 end
            as limit_share
    from with_slopes

),

with_start as (

    select
        *,
        -- a count starts from what there is; a level from the middle of its line, for its last value has an error
        case
            when method = 'theil_sen' then {{ level_at_middle('points', 'pace') }}
            when method in ('drift', 'endpoints') then value
        end as forecast_start,
        case
            when method = 'theil_sen' then clock - {{ middle_clock('points') }} + years_ahead
            else years_ahead
        end as years_run
    from with_pace

),

with_forecast as (

    select
        *,
        case when method = 'share of the year' then pace else forecast_start + pace * years_run end as forecast,
        case
            when method = 'drift'
                then {{ drift_deviation(
                    increment_spread('points', 'pace', 'target_value - baseline_value'),
                    'months_ahead', 'months_known'
                ) }}
            when method = 'theil_sen'
                then
                    ({{ sen_bound('slopes', 'n_points', 1) }} - {{ sen_bound('slopes', 'n_points', -1) }})
                    * years_run / (2 * {{ z_80() }})
            when method = 'wilson'
                then sqrt(greatest(0, abs(limit_share) * (1 - abs(limit_share))) / n)
        end as deviation
    from with_start

),

with_chance as (

    select
        *,
        case
            when method in ('drift', 'theil_sen')
                then {{ probability_above(
                    'direction_sign * (forecast - (target_value - 0.05 * (target_value - baseline_value)))', 'deviation'
                ) }}
            when method = 'wilson'
                then {{ probability_above('(direction_sign * value / 100 - limit_share)', 'deviation') }}
            when three_years is not null and direction_sign = -1
                then {{ poisson_at_least('three_years', 'three_years_asked') }}
            when three_years is not null
                then 1 - {{ poisson_at_least('(three_years + 1)', 'three_years_asked') }}
        end as chance,
        case method
            when 'drift' then forecast - {{ z_80() }} * deviation
            when 'theil_sen' then forecast_start + {{ sen_bound('slopes', 'n_points', -1) }} * years_run
            when 'wilson' then 100 * {{ wilson_bound('(value / 100)', 'n', -1) }}
        end as low,
        case method
            when 'drift' then forecast + {{ z_80() }} * deviation
            when 'theil_sen' then forecast_start + {{ sen_bound('slopes', 'n_points', 1) }} * years_run
            when 'wilson' then 100 * {{ wilson_bound('(value / 100)', 'n', 1) }}
        end as high
    from with_forecast

),

measured as (

    select
        * exclude (
            points, start_value, start_clock, oldest_value, oldest_clock, slopes, three_years, three_years_asked,
            limit_share, required_pace, clock, pace, forecast_start, years_run, forecast, deviation, chance
        ),
        round(pace, 6) as recent_pace_per_year,
        round(required_pace, 6) as required_pace_per_year,
        round(forecast, 6) as forecast_value,
        round(low, 6) as forecast_low,
        round(high, 6) as forecast_high,
        round(chance, 6) as p_reach,
        round(pace / nullif(required_pace, 0), 6) as pace_ratio,
        -- how many times the pace of late is needed; the other way on, no number of times is enough
        case when pace * required_pace > 0 then round(required_pace / pace, 6) end as acceleration,
        {{ is_met() }} as is_met,
        round(
            case
                when method = 'share of the year' then forecast / nullif(target_value, 0)
                else (forecast - baseline_value) / nullif(target_value - baseline_value, 0)
            end, 6
        ) as expected_attainment,
        -- nothing is behind on less than a year, half a quota's year, or a value that is not worse than its path
        coalesce(gap, -1) < -coalesce(tolerance, 0)
        and coalesce(date_diff('day', known_since, ref_date) >= 365, true)
        and not (method = 'share of the year' and {{ share_of_year('ref_date') }} < 0.5) as may_be_behind,
        -- fewer than thirty answers say too little to change a status
        method = 'wilson' and n < 30 as is_small,
        (pace is not null and method not in ('drift', 'theil_sen'))
        or (method = 'wilson' and n < 30)
        or (is_start_measured and required_value is not null) as is_indicative
    from with_chance

),

scored as (

    select
        *,
        {{ raw_status() }} as score
    from measured

)

select
    * exclude (score),
    case when score = 'behind' and not may_be_behind then 'at_risk' else score end as raw_status
from scored
