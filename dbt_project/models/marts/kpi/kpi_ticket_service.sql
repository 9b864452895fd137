{{ config(tags=['kpi'], meta={'kpi_ids': [
    'tickets_median_working_days', 'tickets_p90_working_days', 'tickets_overdue_backlog', 'tickets_reopen_rate'
]}) }}

-- How long, how many wait too long, and how many come back: the same questions as the share in time, so that the
-- numbers can stand beside it.
with measured as (

    select
        *,
        last_day(month_start) as month_end
    from {{ ref('int_tickets_1777__service_shown') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'tickets_1777'

)

select
    measured.kpi_id,
    'kpi_ticket_service' as kpi_model,
    cities.area_id,
    measured.month_start as period_start,
    measured.month_end as period_end,
    least(measured.month_end, sources_complete.ref_date) as ref_date,
    measured.value,
    measured.unit,
    measured.n,
    measured.completeness,
    sources_complete.complete_until,
    measured.known_at,
    measured.numerator,
    measured.denominator,
    {{ ticket_method() }} as calculation_version,
    case when measured.is_suppressed then 'minder dan vijf vragen' end as empty_reason_nl
from measured
cross join cities
cross join sources_complete
order by measured.kpi_id, measured.month_start
