{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Everything that draws the path of a target, and the KPI whose values are held against it.
with targets as (

    select * from {{ ref('dim_target') }}

),

target_milestones as (

    select * from {{ ref('target_milestones') }}

),

target_seasons as (

    select * from {{ ref('target_seasons') }}

),

-- the path starts at the baseline and ends at the target, whether or not the list of milestones says so
stones as (

    select
        target_id,
        milestone_date as reached_on,
        milestone_value as value,
        interpolation
    from target_milestones
    union all
    select
        targets.target_id,
        targets.baseline_date as reached_on,
        targets.baseline_value as value,
        'linear' as interpolation
    from targets
    where targets.trajectory = 'milestones' and targets.baseline_date is not null
    union all
    select
        targets.target_id,
        targets.target_date as reached_on,
        targets.target_value as value,
        'linear' as interpolation
    from targets
    left join target_milestones
        on
            targets.target_id = target_milestones.target_id
            and targets.target_date <= target_milestones.milestone_date
    where
        targets.trajectory = 'milestones'
        and targets.target_date is not null
        and target_milestones.target_id is null

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
    targets.* replace (
        -- another wording of one target shows that target's value, which comes as often as it does there
        coalesce(originals.cadence_days, targets.cadence_days) as cadence_days,
        coalesce(originals.publication_lag_days, targets.publication_lag_days) as publication_lag_days,
        case
            when targets.trajectory = 'constant' and coalesce(targets.tolerance, 0) = 0
                then {{ default_margin('targets.series_kind', 'targets.target_value') }}
            else targets.tolerance
        end as tolerance
    ),
    coalesce(originals.kpi_id, targets.kpi_id) as value_kpi_id,
    case when targets.direction in ('increase', 'at_least') then 1 else -1 end as direction_sign,
    milestone_lists.milestones,
    case
        when targets.trajectory = 'cumulative_seasonal' and targets.baseline_date < targets.target_date
            then season_lists.season_weights
    end as season_weights
from targets
left join targets as originals
    on targets.alias_of = originals.target_id
left join milestone_lists
    on targets.target_id = milestone_lists.target_id
left join season_lists
    on targets.target_id = season_lists.target_id
