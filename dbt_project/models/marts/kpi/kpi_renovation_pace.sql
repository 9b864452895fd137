{{ config(tags=['kpi'], meta={'kpi_ids': [
    'renovation_days_intake_to_plan', 'renovation_days_plan_to_works', 'renovation_epc_steps'
]}) }}

-- Calendar years, the running one up to where the teams speak. A year that may not be shown is empty and says why.
with pace as (

    select
        *,
        make_date(year_reached, 1, 1) as period_start,
        make_date(year_reached, 12, 31) as period_end
    from {{ ref('int_renovation_coach__pace_shown') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'renovation_coach'

)

select
    pace.kpi_id,
    'kpi_renovation_pace' as kpi_model,
    cities.area_id,
    pace.period_start,
    pace.period_end,
    least(pace.period_end, sources_complete.ref_date) as ref_date,
    pace.value,
    case when pace.kpi_id = 'renovation_epc_steps' then 'labels per dwelling' else 'days (median)' end as unit,
    pace.n,
    1.0::double as completeness,
    sources_complete.complete_until,
    pace.known_at,
    pace.numerator,
    pace.denominator,
    'renovation-pace-v1' as calculation_version,
    case when pace.is_suppressed then 'minder dan vijf gezinnen, of daaruit te herleiden' end as empty_reason_nl
from pace
cross join cities
cross join sources_complete
order by pace.kpi_id, pace.period_start
