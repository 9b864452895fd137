{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- The path of each target with the start it is judged from: that of the registry, which always wins, or where it gives
-- none the first measurement of a value that still has a way to go to a dated target.
with paths as (

    select * from {{ ref('int_target_paths') }}

),

first_measured as (

    select
        target_id,
        min(ref_date) as first_date,
        min_by(value, ref_date) as first_value
    from {{ ref('int_target_observations') }}
    where value is not null and doubt_nl is null
    group by target_id

),

found as (

    select
        paths.*,
        first_measured.first_date,
        first_measured.first_value,
        coalesce(
            paths.baseline_value is null
            and paths.trajectory in ('linear', 'cumulative_linear', 'milestones', 'compound')
            and first_measured.first_date < paths.target_date
            and paths.direction_sign * (paths.target_value - first_measured.first_value) > 0,
            false
        ) as is_start_measured
    from paths
    left join first_measured
        on paths.target_id = first_measured.target_id

)

select
    * exclude (first_date, first_value)
    replace (
        case when is_start_measured then first_value else baseline_value end as baseline_value,
        case when is_start_measured then first_date else baseline_date end as baseline_date,
        case
            when is_start_measured and trajectory = 'milestones'
                then
                    -- what was asked before anybody measured is no part of the way from there
                    list_prepend(
                        struct_pack(reached_on := first_date, value := first_value, interpolation := 'linear'),
                        list_filter(milestones, lambda stone: struct_extract(stone, 'reached_on') > first_date)
                    )
            else milestones
        end as milestones
    )
from found
