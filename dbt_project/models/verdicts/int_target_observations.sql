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

chosen as (

    select
        paths.target_id,
        paths.unit,
        paths.series_kind,
        paths.baseline_value,
        paths.target_value,
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
    inner join observations
        on paths.value_kpi_id = observations.kpi_id
    inner join cities
        on observations.area_id = cities.area_id
    left join released
        on
            observations.kpi_id = released.kpi_id
            and observations.area_id = released.area_id
            and observations.ref_date = released.ref_date
    qualify row_number() over (
        partition by paths.target_id, observations.ref_date
        order by
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
