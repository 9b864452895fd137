{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- One value per target and reference date, of the whole municipality. What somebody typed in and cannot be what was
-- meant bears a doubt, unless two persons looked at it; it counts for nothing until it is corrected or released.
with paths as (

    select * from {{ ref('int_target_paths') }}

),

observations as (

    select * from {{ ref('fct_kpi_observations') }}

),

cities as (

    select * from {{ ref('city') }}

),

released as (

    select
        kpi_id,
        area_id,
        ref_date,
        is_checked
    from {{ ref('fct_indicator_values') }}
    where is_current

),

-- the figure of each target; what somebody typed in under the target's own code counts where that was never measured
figures as (

    select
        target_id,
        value_kpi_id as kpi_id,
        true as is_its_own
    from paths
    union all
    select
        target_id,
        typed_kpi_id as kpi_id,
        false as is_its_own
    from paths
    where typed_kpi_id != value_kpi_id

),

found as (

    select
        figures.target_id,
        figures.is_its_own,
        observations.*,
        count(observations.value) filter (where figures.is_its_own) over (partition by figures.target_id) > 0
            as is_measured
    from figures
    inner join observations
        on
            figures.kpi_id = observations.kpi_id
            and (figures.is_its_own or observations.kpi_model = 'kpi_indicators')
    inner join cities
        on observations.area_id = cities.area_id

),

chosen as (

    select
        paths.target_id,
        observations.kpi_id as value_kpi_id,
        paths.unit,
        paths.series_kind,
        paths.baseline_value,
        paths.target_value,
        {{ path_value('paths', 'observations.ref_date') }} as required_value,
        observations.kpi_model = 'kpi_indicators' and not coalesce(released.is_checked, false) as is_typed,
        observations.ref_date,
        -- a wording with another base year shows its own number
        case
            when paths.rebase_factor is null then observations.value
            else round(observations.value * paths.rebase_factor + paths.rebase_offset, 6)
        end as value,
        observations.n,
        observations.completeness,
        observations.complete_until,
        observations.known_at,
        -- the sources have spoken of the whole month of the value: no later value of that month is to come
        coalesce(
            observations.complete_until
            >= timezone(cities.time_zone, (last_day(observations.ref_date) + 1)::timestamp),
            observations.ref_date = last_day(observations.ref_date)
        ) as is_month_over,
        coalesce(date_diff('day', observations.period_start, observations.period_end), 0) >= 300 as is_over_a_year
    from paths
    inner join found as observations
        on paths.target_id = observations.target_id
    cross join cities
    left join released
        on
            observations.kpi_id = released.kpi_id
            and observations.area_id = released.area_id
            and observations.ref_date = released.ref_date
    where observations.is_its_own or not observations.is_measured
    qualify row_number() over (
        partition by paths.target_id, observations.ref_date
        order by
            (observations.is_its_own = observations.is_measured) desc,
            -- a measurement speaks before a value that somebody filled in
            (observations.kpi_model = 'kpi_indicators') asc,
            observations.period_start desc,
            observations.kpi_model asc
    ) = 1

),

by_registry as (

    select
        *,
        case when is_typed then {{ registry_doubt() }} end as doubt_by_registry
    from chosen

),

with_earlier as (

    select
        *,
        median(value) filter (where doubt_by_registry is null) over earlier as earlier_median,
        max(abs(value)) filter (where doubt_by_registry is null) over earlier as earlier_largest
    from by_registry
    window earlier as (
        partition by target_id order by ref_date rows between unbounded preceding and 1 preceding
    )

)

select
    target_id,
    value_kpi_id,
    ref_date,
    value,
    n,
    completeness,
    complete_until,
    known_at,
    is_month_over,
    is_over_a_year,
    case when is_typed then coalesce(doubt_by_registry, {{ history_doubt() }}) end as doubt_nl
from with_earlier
