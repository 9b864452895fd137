-- One value per indicator, area and date. Fluvius calls what it cannot place REST, Statbel ZZZZ: they are one area,
-- in which amounts add up; of a share or a rate the one under Statbel's own code stays.
with current_versions as (

    {{ latest_version(
        ref('int_indicators__observations_shown'),
        key=['kpi_id', 'area_id', 'ref_date'],
        version=['published_date']
    ) }}

),

placed as (

    select
        * exclude (area_id),
        area_id as told_area_id,
        regexp_replace(area_id, '^(\d{5})REST$', '\1ZZZZ') as area_id,
        not starts_with(unit, '%') and not contains(unit, ' per ') as adds_up
    from current_versions

)

select
    kpi_id,
    area_id,
    ref_date,
    case
        when count(*) > 1 and bool_and(adds_up) then {{ exact_sum('value') }}
        else arg_max(value, told_area_id)
    end as value,
    arg_max(unit, told_area_id) as unit,
    case when count(*) = 1 then any_value(uncertainty_low) end as uncertainty_low,
    case when count(*) = 1 then any_value(uncertainty_high) end as uncertainty_high,
    arg_max(source_name, told_area_id) as source_name,
    max(published_date) as published_date,
    max(known_at) as known_at
from placed
group by kpi_id, area_id, ref_date
