{{ config(tags=['kpi'], meta={'kpi_ids': ['*']}) }}

-- Values as the departments filled them in, newest version of each.
with observations as (

    select * from {{ ref('int_indicators__observations_current') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'indicators'

)

select
    observations.kpi_id,
    'kpi_indicators' as kpi_model,
    observations.area_id,
    observations.ref_date as period_start,
    observations.ref_date as period_end,
    observations.ref_date,
    observations.value,
    observations.unit,
    1::bigint as n,
    1.0::double as completeness,
    sources_complete.complete_until,
    observations.known_at,
    -- whoever filled it in knows how it was made
    null::double as numerator,
    null::double as denominator,
    null::varchar as calculation_version,
    null::varchar as empty_reason_nl
from observations
left join sources_complete
    on true
order by observations.kpi_id, observations.area_id, observations.ref_date
