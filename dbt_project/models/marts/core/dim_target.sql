with targets as (

    select * from {{ ref('targets') }}

),

-- another base year or unit of one target: its own figure, worked out of the figure of the chosen wording
rebased as (

    select
        target_id,
        alias_target_id,
        rebase_factor,
        coalesce(rebase_offset, 0) as rebase_offset
    from {{ ref('target_wordings') }}
    where relation = 'rebased'

)

select
    targets.target_id,
    targets.kpi_id,
    targets.section,
    {{ typeset('targets.title_nl') }} as title_nl,
    {{ typeset('targets.title_en') }} as title_en,
    targets.department_id,
    targets.data_owner_department_id,
    targets.unit,
    targets.direction,
    targets.baseline_value,
    targets.baseline_date,
    targets.target_value,
    targets.target_date,
    targets.trajectory,
    targets.tolerance,
    targets.cadence_days,
    targets.publication_lag_days,
    targets.completeness_limit,
    targets.accepted_limit,
    targets.is_cumulative,
    targets.kind,
    targets.recurrence,
    targets.is_binding,
    targets.is_public,
    targets.is_contested,
    targets.alias_of,
    rebased.rebase_factor,
    rebased.rebase_offset,
    targets.definition_version,
    targets.note_nl,
    targets.registry_status,
    targets.series_kind,
    targets.stale_factor,
    targets.denominator_id,
    targets.deprecated_on,
    targets.deprecated_reason,
    targets.successor_kpi_id,
    targets.scope_variant,
    targets.wording_source,
    targets.min_points,
    targets.needs_check,
    targets.embargo_time,
    targets.follows,
    targets.value_kpi_id,
    targets.beside_kpi_id,
    targets.planned_by,
    targets.planned_on
from targets
left join rebased
    on
        targets.target_id = rebased.alias_target_id
        and targets.alias_of = rebased.target_id
order by targets.target_id
