{{ config(materialized="table", schema="intermediate", contract={"enforced": false}) }}

-- The pace of what events build up, at each evaluation, on the clock of its own plan: what the last year and the last
-- three years brought, how much increments differ by chance (noise, of a year) and how much the pace itself changes
-- from one year to the next (wander). A pace that wanders is read from the last year, a steady one from all three;
-- where somebody told the shape of the plan, from all that was done, and what may differ is how far it runs off that.
with plans as (

    select
        *,
        {{ plan_clock('starts', 'starts.baseline_date') }} as start_clock,
        {{ plan_deadline_clock('starts') }} as end_clock,
        {{ is_yearly_figure('starts.cadence_days') }} as is_yearly,
        {{ is_shaped('starts.trajectory') }} as is_shaped,
        date '2000-01-01' + ({{ middle_of_work('starts.milestones') }})::integer as middle_date
    from {{ ref('int_target_starts') }} as starts
    where starts.series_kind = 'event' and starts.trajectory not in ('constant', 'annual_quota', 'step', 'none')

),

evaluations as (

    select * from {{ ref('int_target_evaluations') }}

),

-- where the clock of a shape that was told may stand
slips as (

    select
        plans.target_id,
        evaluations.ref_date,
        {{ slipped_clocks('plans', 'evaluations.ref_date') }} as clocks
    from plans
    inner join evaluations
        on plans.target_id = evaluations.target_id
    where plans.is_shaped

),

-- the start of the plan is the first report
reports as (

    select
        plans.target_id,
        evaluations.ref_date,
        evaluations.month_number as month,
        case
            when plans.trajectory = 'project_steps' then list_avg(slips.clocks)
            else {{ plan_clock('plans', 'evaluations.ref_date') }}
        end as clock,
        list_aggregate(slips.clocks, 'stddev_pop') as slip,
        evaluations.value
    from plans
    inner join evaluations
        on
            plans.target_id = evaluations.target_id
            and (plans.baseline_date is null or plans.baseline_date <= evaluations.ref_date)
    left join slips
        on
            evaluations.target_id = slips.target_id
            and evaluations.ref_date = slips.ref_date
    union all
    select
        plans.target_id,
        plans.baseline_date as ref_date,
        {{ month_number('plans.baseline_date') }} as month,
        plans.start_clock as clock,
        null as slip,
        plans.baseline_value as value
    from plans
    left join evaluations
        on
            plans.target_id = evaluations.target_id
            and plans.baseline_date = evaluations.ref_date
    where plans.baseline_date is not null and plans.baseline_value is not null and evaluations.target_id is null

),

moves as (

    select
        reports.*,
        plans.is_yearly,
        plans.is_shaped,
        reports.month - lag(reports.month) over series as months,
        reports.clock - lag(reports.clock) over series as du,
        reports.value - lag(reports.value) over series as dv,
        min(reports.month) over (partition by reports.target_id) as first_month,
        max(case when reports.value = plans.baseline_value then reports.month end) over series as last_empty_month
    from reports
    inner join plans
        on reports.target_id = plans.target_id
    window series as (partition by reports.target_id order by reports.month)

),

-- reports without anything yet are no pace, once they last half a year; a shape that was told says when to begin
counted as (

    select
        *,
        case when last_empty_month - first_month >= 5.5 and not is_shaped then last_empty_month else first_month end
            as since_month
    from moves

),

-- each evaluation with every increment before it, in whole years back; a report may come some days, one of a year some
-- weeks, before its time
increments as (

    select
        evaluated.target_id,
        evaluated.ref_date,
        evaluated.is_yearly,
        evaluated.is_shaped,
        evaluated.since_month > evaluated.first_month as is_late_start,
        before.months,
        before.du,
        before.dv,
        floor(
            (evaluated.month - before.month + case when evaluated.is_yearly then 2 else 0.25 end) / 12
        )::integer as years_back
    from counted as evaluated
    inner join counted as before
        on
            evaluated.target_id = before.target_id
            and evaluated.since_month < before.month
            and evaluated.month >= before.month

),

years as (

    select
        target_id,
        ref_date,
        is_yearly,
        is_shaped,
        is_late_start,
        years_back,
        count(*) as n,
        count(*) filter (where du > 0) as n_moving,
        sum(months) as months,
        sum(du) as du,
        sum(dv) as dv,
        sum(dv * dv / du) filter (where du > 0) as squares
    from increments
    group by target_id, ref_date, is_yearly, is_shaped, is_late_start, years_back

),

-- the oldest year may be a part of one
with_older as (

    select
        *,
        du > 0 and (is_yearly or months >= 11.5 or years_back < max(years_back) over (partition by target_id, ref_date))
            as is_whole,
        years_back < {{ window_years() }} as is_recent,
        years_back < {{ window_years() }} or is_shaped as is_in_window,
        lead(dv / nullif(du, 0)) over older as older_pace,
        lead(du) over older as older_du
    from years
    window older as (partition by target_id, ref_date order by years_back)

),

paired as (

    select
        *,
        is_whole and lead(is_whole) over (partition by target_id, ref_date order by years_back) as is_pair,
        du * older_du / nullif(du + older_du, 0) as pair_weight,
        dv / nullif(du, 0) - older_pace as change
    from with_older

),

summed as (

    select
        target_id,
        ref_date,
        sum(n) as n_increments,
        sum(dv) filter (where is_in_window) as window_dv,
        nullif(sum(du) filter (where is_in_window), 0) as window_du,
        sum(dv) filter (where is_recent) as recent_dv,
        sum(months) filter (where is_recent) as recent_months,
        nullif(any_value(du) filter (where years_back = 0), 0) as last_du,
        any_value(dv) filter (where years_back = 0) as last_dv,
        any_value(is_yearly) as is_yearly,
        any_value(is_shaped) as is_shaped,
        any_value(is_late_start) as is_late_start,
        -- months differ within their year; figures of whole years around the pace of all three
        sum(squares) filter (where is_in_window) - pow(window_dv, 2) / window_du as squares_of_years,
        sum(n_moving) filter (where is_in_window) - 1 as freedom_of_years,
        coalesce(sum(squares - dv * dv / du) filter (where is_in_window and is_whole), 0) as squares_of_months,
        coalesce(sum(n_moving - 1) filter (where is_in_window and is_whole), 0) as freedom_of_months,
        coalesce(sum(pair_weight) filter (where is_pair), 0) as pair_weights,
        coalesce(sum(pair_weight * pow(change, 2)) filter (where is_pair), 0) as pair_squares,
        count(*) filter (where is_pair) as n_pairs
    from paired
    group by target_id, ref_date

),

planned as (

    select
        summed.*,
        {{ has_milestones('plans.trajectory') }} as is_bent,
        plans.trajectory = 'project_steps' as is_of_works,
        reports.slip,
        nullif(reports.clock - plans.start_clock, 0) as years_done,
        abs(plans.target_value - plans.baseline_value) / nullif(plans.end_clock - plans.start_clock, 0) as planned_year,
        {{ prior_noise(
            'plans.unit',
            'plans.trajectory',
            '(plans.target_value - plans.baseline_value) / nullif(plans.end_clock - plans.start_clock, 0)'
        ) }} as prior_share,
        nullif(greatest(0, plans.end_clock - reports.clock), 0) as years_ahead
    from summed
    inner join plans
        on summed.target_id = plans.target_id
    inner join reports
        on
            summed.target_id = reports.target_id
            and summed.ref_date = reports.ref_date

),

with_prior as (

    select
        *,
        pow(prior_share * planned_year, 2) as prior_variance,
        case when is_yearly then squares_of_years else squares_of_months end as squares,
        case when is_yearly then freedom_of_years else freedom_of_months end as freedom
    from planned

),

with_noise as (

    select
        *,
        -- a work comes at once: its months tell nothing of how much works differ
        case
            when is_of_works then prior_variance
            else
                (
                    {{ prior_increments() }} * prior_variance + greatest(0, squares)
                ) / (
                    {{ prior_increments() }} + greatest(0, freedom)
                )
        end as noise
    from with_prior

),

-- figures of whole years cannot tell noise from wander
with_excess as (

    select
        *,
        pair_squares - n_pairs * case when is_yearly then prior_variance else noise end as excess_squares
    from with_noise

),

with_wander as (

    select
        *,
        (
            pow(
                case when n_pairs > 0 then {{ prior_wander() }} else {{ prior_wander_of_one_year() }} end
                * planned_year, 2
            )
            + 2 * greatest(0, excess_squares)
        ) / (1 + 2 * pair_weights) as wander
    from with_excess

),

with_weight as (

    select
        *,
        case
            when n_pairs > 0 and not is_shaped then coalesce(wander / (wander + noise / last_du), 0)
            else 0
        end as weight
    from with_wander

),

with_pace as (

    select
        *,
        weight * coalesce(last_dv / last_du, 0) + (1 - weight) * window_dv / window_du as pace
    from with_weight

)

-- nine decimals: more is noise of floating point
select
    target_id,
    ref_date,
    n_increments,
    is_late_start,
    is_bent,
    round(pace, 9) as pace,
    -- what a reader knows as a year is one of the calendar
    round(case when is_bent then 12 * recent_dv / nullif(recent_months, 0) else pace end, 9) as pace_per_year,
    round(noise, 9) as noise,
    round(wander, 9) as wander,
    round(weight, 9) as weight,
    years_ahead,
    round({{ count_deviation() }}, 9) as deviation
from with_pace
