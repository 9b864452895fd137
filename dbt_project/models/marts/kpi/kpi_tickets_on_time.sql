{{ config(tags=['kpi'], meta={'kpi_ids': ['tickets_1777_5wd']}) }}

-- By month of receipt, first cycles of second-line questions. Questions count from the moment their five working days
-- are over, whatever became of them: the quick answers of a term that still runs would flatter the month.
with cycles as (

    select * from {{ ref('fct_ticket_cycles') }}
    where is_counted and due_at <= complete_until

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'tickets_1777'

),

months as (

    select
        date_trunc('month', started_date)::date as period_start,
        last_day(started_date) as period_end,
        count(*) filter (where outcome = 'on_time')::double as on_time,
        count(*) as n,
        max(known_at) as known_at
    from cycles
    group by all

)

select
    'tickets_1777_5wd' as kpi_id,
    'kpi_tickets_on_time' as kpi_model,
    cities.area_id,
    months.period_start,
    months.period_end,
    case
        -- until the first term of the next month is over, this month is all the source can tell: it is not old
        when months.period_start = max(months.period_start) over () then sources_complete.ref_date
        else least(months.period_end, sources_complete.ref_date)
    end as ref_date,
    100 * months.on_time / months.n as value,
    '% of questions' as unit,
    months.n,
    1.0::double as completeness,
    sources_complete.complete_until,
    months.known_at,
    months.on_time as numerator,
    months.n::double as denominator,
    'wd5-v2' as method_version
from months
cross join cities
cross join sources_complete
order by months.period_start
