{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- One value per target and reference date, of the whole municipality.
with paths as (

    select * from {{ ref('int_target_paths') }}

),

observations as (

    select * from {{ ref('fct_kpi_observations') }}

),

cities as (

    select * from {{ ref('city') }}

)

select
    paths.target_id,
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
qualify row_number() over (
    partition by paths.target_id, observations.ref_date
    order by
        -- a measurement speaks before a value that somebody filled in
        (observations.kpi_model = 'kpi_indicators') asc,
        observations.period_start desc,
        observations.kpi_model asc
) = 1
