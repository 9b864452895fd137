{{ config(tags=['kpi'], meta={'kpi_ids': ['tickets_1777_5wd']}) }}

-- By month of receipt, questions whose term is over.
with months as (

    select
        *,
        last_day(month_start) as month_end
    from {{ ref('int_tickets_1777__on_time_shown') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'tickets_1777'

)

select
    'tickets_1777_5wd' as kpi_id,
    'kpi_tickets_on_time' as kpi_model,
    cities.area_id,
    months.month_start as period_start,
    months.month_end as period_end,
    case
        -- until the first term of the next month is over, this month is all the source can tell: it is not old
        when months.month_start = max(months.month_start) over () then sources_complete.ref_date
        else least(months.month_end, sources_complete.ref_date)
    end as ref_date,
    100 * months.on_time / months.n as value,
    '% of questions' as unit,
    months.n,
    months.completeness,
    sources_complete.complete_until,
    months.known_at,
    months.on_time as numerator,
    months.n::double as denominator,
    {{ ticket_method() }} as calculation_version,
    case when months.is_suppressed then 'minder dan vijf vragen' end as empty_reason_nl
from months
cross join cities
cross join sources_complete
order by months.month_start
