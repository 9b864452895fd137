{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Everything that draws the path of a target, and the KPI whose values are held against it. One figure may bear several
-- promises: a later one is measured by the figure of the first, and its path leads along those before it.
with recursive readings as (

    select * from {{ ref('int_target_readings') }}

),

target_milestones as (

    select * from {{ ref('target_milestones') }}

),

target_seasons as (

    select * from {{ ref('target_seasons') }}

),

promises as (

    select
        target_id,
        target_id as story_id,
        coalesce(value_kpi_id, kpi_id) as figure_kpi_id,
        target_date,
        target_value,
        []::struct(reached_on date, value double)[] as earlier
    from readings
    where follows is null and other_reading_of is null

    union all

    select
        readings.target_id,
        promises.story_id,
        promises.figure_kpi_id,
        readings.target_date,
        readings.target_value,
        list_append(
            promises.earlier, struct_pack(reached_on := promises.target_date, value := promises.target_value)
        ) as earlier
    from promises
    inner join readings
        on promises.target_id = readings.follows
    where readings.other_reading_of is null

),

bent as (

    select
        *,
        coalesce(other_reading_of, target_id) as registry_id
    from readings
    where {{ has_milestones('trajectory') }}

),

-- the path starts at the baseline and ends at the target, whether or not the list of milestones says so
stones as (

    select
        bent.target_id,
        target_milestones.milestone_date as reached_on,
        target_milestones.milestone_value as value,
        case when bent.trajectory = 'project_steps' then 'step' else target_milestones.interpolation end
            as interpolation
    from bent
    inner join target_milestones
        on
            bent.registry_id = target_milestones.target_id
            and (bent.target_date is null or bent.target_date > target_milestones.milestone_date)
    union all
    select
        bent.target_id,
        stone.earlier.reached_on,
        stone.earlier.value,
        'linear' as interpolation
    from bent
    inner join promises
        on bent.registry_id = promises.target_id
    cross join unnest(promises.earlier) as stone (earlier)
    union all
    select
        target_id,
        baseline_date as reached_on,
        baseline_value as value,
        'linear' as interpolation
    from bent
    where baseline_date is not null
    union all
    select
        bent.target_id,
        bent.target_date as reached_on,
        bent.target_value as value,
        case
            when bent.trajectory = 'project_steps' then 'step'
            else coalesce(target_milestones.interpolation, 'linear')
        end as interpolation
    from bent
    left join target_milestones
        on
            bent.registry_id = target_milestones.target_id
            and bent.target_date = target_milestones.milestone_date
    where bent.target_date is not null
    union all
    -- an S-curve of which nobody told more: slow, fast, slow, and halfway when half of its time has passed
    select
        bent.target_id,
        bent.baseline_date + (parts.part * date_diff('day', bent.baseline_date, bent.target_date) / 24)::integer
            as reached_on,
        bent.baseline_value
        + (bent.target_value - bent.baseline_value) * (3 * pow(parts.part / 24, 2) - 2 * pow(parts.part / 24, 3))
            as value,
        'linear' as interpolation
    from bent
    cross join range(1, 24) as parts (part)
    where
        bent.trajectory = 's_curve'
        and bent.baseline_date < bent.target_date
        and not exists (
            select 1
            from target_milestones
            where
                target_milestones.target_id = bent.registry_id
                and target_milestones.milestone_date < bent.target_date
        )

),

milestone_lists as (

    select
        target_id,
        list(
            struct_pack(reached_on := reached_on, value := value, interpolation := interpolation) order by reached_on
        ) as milestones
    from stones
    -- a day without a value is no place to start from
    where value is not null
    group by target_id

),

-- twelve shares that make one, whatever the weights add up to
seasonal as (

    select
        target_id,
        {{ exact_sum('weight') }} as total_weight
    from target_seasons
    group by target_id

),

season_lists as (

    select
        seasonal.target_id,
        list(coalesce(target_seasons.weight, 0) / seasonal.total_weight order by months.month_no) as season_weights
    from seasonal
    cross join range(1, 13) as months (month_no)
    left join target_seasons
        on
            seasonal.target_id = target_seasons.target_id
            and months.month_no = target_seasons.month
    where seasonal.total_weight > 0
    group by seasonal.target_id

)

select
    readings.* replace (
        -- another wording of one target shows that target's value, which comes as often as it does there
        coalesce(originals.cadence_days, readings.cadence_days) as cadence_days,
        coalesce(originals.publication_lag_days, readings.publication_lag_days) as publication_lag_days,
        case
            when readings.trajectory = 'constant' and coalesce(readings.tolerance, 0) = 0
                then {{ default_margin('readings.series_kind', 'readings.target_value') }}
            else readings.tolerance
        end as tolerance,
        coalesce(readings.reading_kpi_id, promises.figure_kpi_id) as value_kpi_id
    ),
    -- what somebody typed in counts where the figure itself was never measured; another reading has its own figure
    case when readings.reading_kpi_id is null then coalesce(originals.kpi_id, readings.kpi_id) end as typed_kpi_id,
    promises.story_id,
    case when readings.direction in ('increase', 'at_least') then 1 else -1 end as direction_sign,
    milestone_lists.milestones,
    case
        when readings.trajectory = 'cumulative_seasonal' and readings.baseline_date < readings.target_date
            then season_lists.season_weights
    end as season_weights
from readings
left join readings as originals
    on readings.alias_of = originals.target_id
left join promises
    on coalesce(readings.alias_of, readings.other_reading_of, readings.target_id) = promises.target_id
left join milestone_lists
    on readings.target_id = milestone_lists.target_id
left join season_lists
    on coalesce(readings.other_reading_of, readings.target_id) = season_lists.target_id
