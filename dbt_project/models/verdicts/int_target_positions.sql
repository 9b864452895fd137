{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Where each target stands on the date its newest value speaks of; the build's date plays no part here.
with targets as (

    select * from {{ ref('dim_target') }}

),

cities as (

    select * from {{ ref('city') }}

),

newest as (

    select observations.*
    from {{ ref('fct_kpi_observations') }} as observations
    inner join cities
        on observations.area_id = cities.area_id
    qualify row_number() over (
        partition by observations.kpi_id
        order by
            observations.ref_date desc,
            -- a measurement speaks before a value that somebody filled in
            (observations.kpi_model = 'kpi_indicators') asc,
            observations.period_start desc,
            observations.kpi_model asc
    ) = 1

),

-- another wording of one target shows that target's value
valued as (

    select
        targets.*,
        coalesce(originals.kpi_id, targets.kpi_id) as value_kpi_id
    from targets
    left join targets as originals
        on targets.alias_of = originals.target_id

),

positioned as (

    select
        valued.*,
        newest.ref_date,
        newest.complete_until,
        newest.value,
        newest.completeness,
        newest.known_at,
        case when valued.direction in ('increase', 'at_least') then 1 else -1 end as direction_sign,
        -- six decimals: more is noise of floating point
        round({{ trajectory_value(
            'valued.trajectory', 'valued.baseline_value', 'valued.baseline_date',
            'valued.target_value', 'valued.target_date', 'newest.ref_date'
        ) }}, 6) as required_value,
        {{ time_share('valued.baseline_date', 'valued.target_date', 'newest.ref_date') }} as time_share
    from valued
    left join newest
        on valued.value_kpi_id = newest.kpi_id

)

select
    target_id,
    kpi_id,
    value_kpi_id,
    department_id,
    section,
    title_nl,
    title_en,
    unit,
    direction,
    direction_sign,
    baseline_value,
    baseline_date,
    target_value,
    target_date,
    trajectory,
    tolerance,
    cadence_days,
    publication_lag_days,
    is_binding,
    is_public,
    is_contested,
    definition_version,
    ref_date,
    complete_until,
    value,
    completeness,
    known_at,
    case when ref_date is not null then required_value end as required_value,
    case when ref_date is not null and target_date is not null and baseline_date is not null then time_share end
        as time_share,
    direction_sign * (value - required_value) as gap,
    (value - baseline_value) / nullif(target_value - baseline_value, 0) as progress,
    -- progress over the elapsed share of the window, written so that a path without an end has one too
    case
        when trajectory not in ('constant', 'step', 'none')
            then
                (value - coalesce(baseline_value, case when trajectory = 'annual_quota' then 0 end))
                / nullif(
                    required_value - coalesce(baseline_value, case when trajectory = 'annual_quota' then 0 end), 0
                )
    end as attainment
from positioned
