{{ config(materialized="table", schema="intermediate", contract={"enforced": false}) }}

-- Per evaluation: the pace of late, where it ends, how sure that is, and the score that follows from it alone.
with paths as (

    select * from {{ ref('int_target_starts') }}

),

evaluations as (

    select * from {{ ref('int_target_evaluations') }}

),

paces as (

    select * from {{ ref('int_target_paces') }}

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
        evaluations.is_yearly,
        evaluations.is_running,
        evaluations.history_hash,
        paths.baseline_value,
        paths.baseline_date,
        paths.target_value,
        paths.target_date,
        paths.trajectory,
        paths.tolerance,
        paths.season_weights,
        paths.direction_sign,
        paths.is_start_measured,
        paths.planned_by is not null as is_planned,
        {{ due_of_late('paths', 'evaluations.ref_date') }} as due_of_late,
        -- a level of the last twelve months, however often it comes, is compared with those of whole years before
        {{ is_yearly_figure('paths.cadence_days') }} as is_told_yearly,
        {{ is_yearly_figure('paths.cadence_days') }} or evaluations.is_yearly as is_one_a_year,
        case
            when {{ is_yearly_figure('paths.cadence_days') }} and coalesce(paths.series_kind, 'none') = 'event' then 2
            else coalesce(paths.min_points, 4)
        end as min_points,
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
        nullif(greatest(0, date_diff('day', paths.baseline_date, paths.target_date)), 0) / 365.25 as plan_years,
        -- the day from which a hard judgement may be given, and an interval said of a figure that moves along a path
        {{ patient_until('paths', 'evaluations.known_since') }} as patient_until,
        -- a share of answers to a norm: all answers of twelve months together
        case
            when paths.trajectory = 'constant' and paths.series_kind = 'share' and not evaluations.is_yearly
                then {{ answered_points('evaluations.points', 'evaluations.month_number') }}
            when paths.trajectory = 'constant' and paths.series_kind = 'share' then evaluations.points[-1:]
        end as answered,
        paces.n_increments,
        paces.is_late_start,
        paces.is_bent,
        paces.pace as count_pace,
        paces.pace_per_year as count_pace_per_year,
        paces.weight as count_weight,
        paces.years_ahead as count_years_ahead,
        paces.deviation as count_deviation,
        {{ needed_pace('paths', 'evaluations.ref_date', 'evaluations.value') }} as required_pace
    from evaluations
    inner join paths
        on evaluations.target_id = paths.target_id
    left join paces
        on
            evaluations.target_id = paces.target_id
            and evaluations.ref_date = paces.ref_date

),

with_method as (

    select
        *,
        len(points) as n_points,
        struct_extract(points[1], 'v') as oldest_value,
        struct_extract(points[1], 'x') as oldest_clock,
        list_sum(list_transform(answered, lambda point: struct_extract(point, 'n'))) as n_answers,
        {{ pooled_share('answered') }} as year_share,
        case
            when trajectory = 'annual_quota' then 'share of the year'
            when trajectory = 'constant' and series_kind = 'share' and n >= 2 then 'wilson'
            when series_kind = 'rare_count' then 'poisson'
            when series_kind = 'none' or trajectory = 'step' then 'none'
            when n_increments >= min_points then 'drift'
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
            when 'drift' then count_pace
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
        case method
            when 'drift' then count_years_ahead
            when 'theil_sen' then clock - {{ middle_clock('points') }} + years_ahead
            else years_ahead
        end as years_run,
        -- a level whose true pace changes by some of a year's plan each year
        pow({{ prior_wander_of_level() }} * (target_value - baseline_value) / plan_years, 2) * pow(years_ahead, 3)
            as level_wander
    from with_pace

),

with_forecast as (

    select
        *,
        case when method = 'share of the year' then pace else forecast_start + pace * years_run end as forecast,
        case
            when method = 'drift' then count_deviation
            -- the errors of a level that comes more often than yearly hang together: its ranks say too much
            when method = 'theil_sen' and is_one_a_year
                then sqrt(
                    pow(
                        ({{ sen_bound('slopes', 'n_points', 1) }} - {{ sen_bound('slopes', 'n_points', -1) }})
                        * years_run / (2 * {{ z_80() }}), 2
                    ) + coalesce(level_wander, 0)
                )
            when method = 'wilson'
                then sqrt(greatest(0, abs(limit_share) * (1 - abs(limit_share))) / n_answers)
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
                then {{ probability_above('(direction_sign * year_share / 100 - limit_share)', 'deviation') }}
            when three_years is not null and direction_sign = -1
                then {{ poisson_at_least('three_years', 'three_years_asked') }}
            when three_years is not null
                then 1 - {{ poisson_at_least('(three_years + 1)', 'three_years_asked') }}
        end as chance,
        case method
            when 'drift' then forecast - {{ z_80() }} * deviation
            when 'theil_sen'
                then forecast - sqrt(
                    pow((pace - {{ sen_bound('slopes', 'n_points', -1) }}) * years_run, 2)
                    + coalesce(pow({{ z_80() }}, 2) * level_wander, 0)
                )
            when 'wilson' then 100 * {{ wilson_bound('(year_share / 100)', 'n_answers', -1) }}
        end as low,
        case method
            when 'drift' then forecast + {{ z_80() }} * deviation
            when 'theil_sen'
                then forecast + sqrt(
                    pow(({{ sen_bound('slopes', 'n_points', 1) }} - pace) * years_run, 2)
                    + coalesce(pow({{ z_80() }}, 2) * level_wander, 0)
                )
            when 'wilson' then 100 * {{ wilson_bound('(year_share / 100)', 'n_answers', 1) }}
        end as high
    from with_forecast

),

-- what was counted does not go away
bounded as (

    select
        * replace (
            case
                when is_sticky and method = 'drift' and direction_sign = 1 then greatest(low, value) else low
            end as low,
            case
                when is_sticky and method = 'drift' and direction_sign = -1 then least(high, value) else high
            end as high
        ),
        coalesce(ref_date >= patient_until, true) as is_old_enough,
        coalesce(direction_sign * (coalesce(year_share, value) - required_value), -1) as judged_gap,
        method = 'wilson' and n_answers < {{ least_answers() }} as is_small
    from with_chance

),

certain as (

    select
        *,
        -- an interval wider than half the way says nothing that a reader could use
        coalesce(method in ('drift', 'theil_sen') and high - low > 0.5 * abs(target_value - baseline_value), false)
            as is_vague,
        case when method = 'drift' then count_pace_per_year else pace end as shown_pace,
        -- a pace that turned under a straight line that nobody planned
        coalesce(
            method = 'drift' and count_weight > 0.5 and not is_bent and season_weights is null and not is_planned, false
        ) as is_plan_unknown
    from bounded

),

measured as (

    select
        * exclude (
            points, start_value, start_clock, oldest_value, oldest_clock, slopes, three_years, three_years_asked,
            limit_share, required_pace, clock, pace, forecast_start, years_run, years_ahead, level_wander, plan_years,
            season_weights, is_planned, due_of_late, answered, n_answers, n_increments, is_late_start, count_pace,
            count_pace_per_year, count_weight, count_years_ahead, count_deviation, patient_until, is_told_yearly,
            is_one_a_year, low, high, chance,
            year_share, shown_pace
        ),
        round(shown_pace, 6) as recent_pace_per_year,
        round(required_pace, 6) as required_pace_per_year,
        round(case when not is_vague then forecast end, 6) as forecast_value,
        round(case when is_interval_said then low end, 6) as forecast_low,
        round(case when is_interval_said then high end, 6) as forecast_high,
        -- of a figure that is one of a year, or of all years, already there is nothing to say beside it
        round(case when not is_yearly then year_share end, 6) as year_share,
        round(chance, 6) as p_reach,
        round(shown_pace / nullif(required_pace, 0), 6) as pace_ratio,
        -- how many times the pace of late is needed; the other way on, no number of times is enough
        case when shown_pace * required_pace > 0 then round(required_pace / shown_pace, 6) end as acceleration,
        {{ is_met() }} as is_met,
        round(
            case
                when method = 'share of the year' then forecast / nullif(target_value, 0)
                else (forecast - baseline_value) / nullif(target_value - baseline_value, 0)
            end, 6
        ) as expected_attainment,
        is_told_yearly or (is_one_a_year and method != 'wilson') as is_yearly_figure,
        -- nothing is behind while it is young, in half a quota's year, or on a value that is not worse than its path
        -- by more than a work that is late
        judged_gap < -greatest(coalesce(due_of_late, 0), coalesce(tolerance, 0))
        and is_old_enough
        and not is_small
        and not (method = 'share of the year' and {{ share_of_year('ref_date') }} < 0.5)
        -- it has begun after a while without anything, and nobody knows yet how fast
        and not (method = 'endpoints' and coalesce(is_late_start, false))
            as may_be_behind,
        (pace is not null and chance is null)
        or (method in ('drift', 'theil_sen') and not is_interval_said)
        or is_small
        or is_plan_unknown
        or (is_start_measured and required_value is not null) as is_indicative
    from (
        select
            *,
            method = 'wilson' or (is_old_enough and not is_vague) as is_interval_said
        from certain
    ) as told

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
