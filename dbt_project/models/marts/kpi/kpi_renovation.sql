{{
    config(
        tags=['kpi'],
        meta={
            'kpi_ids': [
                'renovation_coached_households',
                'renovation_custom_trajectories',
                'renovation_custom_dwellings',
                'renovation_collective',
                'collective_renovation_fossil_free_share',
            ]
        }
    )
}}

with totals as (

    select * from {{ ref('int_renovation_coach__totals_shown') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'renovation_coach'

),

week_completeness as (

    select * from {{ ref('int_renovation_coach__week_completeness') }}

)

select
    totals.kpi_id,
    'kpi_renovation' as kpi_model,
    cities.area_id,
    totals.period_start,
    totals.ref_date as period_end,
    totals.ref_date,
    totals.value,
    totals.unit,
    totals.n,
    -- a week before the first file has nothing to be short of
    coalesce(week_completeness.completeness, 1.0) as completeness,
    sources_complete.complete_until,
    totals.known_at,
    totals.numerator,
    totals.denominator,
    'renovation-v2' as calculation_version,
    case when totals.is_suppressed then 'minder dan vijf gezinnen' end as empty_reason_nl
from totals
cross join cities
cross join sources_complete
left join week_completeness
    on strftime(totals.ref_date, '%G-W%V') = week_completeness.week_label
order by totals.kpi_id, totals.ref_date
