{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- What the published rules of others would say of the same values. They are a comparison, never the verdict.
with shifted as (

    select
        *,
        -- a rate needs a level: a change of -6 % since the base year is a level of 94
        case when starts_with(unit, '% change') then 100 else 0 end as level_of_base_year
    from {{ ref('int_target_positions') }}

),

positions as (

    select
        * replace (
            value + level_of_base_year as value,
            baseline_value + level_of_base_year as baseline_value,
            target_value + level_of_base_year as target_value
        ),
        date_diff('day', baseline_date, ref_date) / 365.25 as years_done,
        date_diff('day', baseline_date, target_date) / 365.25 as years_in_all,
        date_diff('day', ref_date, target_date) / 365.25 as years_left
    from shifted
    where
        value is not null
        and baseline_value is not null
        and baseline_date < ref_date
        and baseline_date < target_date
        and baseline_value != target_value

),

observations as (

    select * from {{ ref('int_target_observations') }}

),

-- the first value of the last five years; a month and a half late is still the same year
five_years as (

    select
        positions.target_id,
        min_by(observations.value + positions.level_of_base_year, observations.ref_date) as value,
        min(observations.ref_date) as ref_date
    from positions
    inner join observations
        on
            positions.target_id = observations.target_id
            and observations.ref_date between positions.ref_date - 1872 and positions.ref_date - 1096
    group by positions.target_id

),

compared as (

    select
        positions.*,
        {{ eurostat_ratio() }} as eurostat_ratio,
        {{ unsd_ratio() }} as unsd_ratio,
        case
            when five_years.ref_date is not null
                then
                    (positions.value - five_years.value)
                    / (date_diff('day', five_years.ref_date, positions.ref_date) / 365.25)
            -- too few years: the mean change since the start
            when positions.years_done >= 3
                then (positions.value - positions.baseline_value) / positions.years_done
        end as five_year_pace
    from positions
    left join five_years
        on positions.target_id = five_years.target_id

),

missed as (

    select
        *,
        {{ destatis_miss() }} as destatis_miss
    from compared

)

select
    target_id,
    round(eurostat_ratio, 6) as eurostat_ratio,
    {{ eurostat_label() }} as eurostat_label,
    round(unsd_ratio, 6) as unsd_ratio,
    {{ unsd_label() }} as unsd_label,
    round(destatis_miss, 6) as destatis_miss,
    {{ destatis_label() }} as destatis_label
from missed
