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

)

select
    'tickets_1777_5wd' as kpi_id,
    'kpi_tickets_on_time' as kpi_model,
    cities.area_id,
    date_trunc('month', cycles.started_date)::date as period_start,
    last_day(cycles.started_date) as period_end,
    least(last_day(cycles.started_date), sources_complete.ref_date) as ref_date,
    100.0::double * count(*) filter (where cycles.outcome = 'on_time') / count(*) as value,
    '% of questions' as unit,
    count(*) as n,
    1.0::double as completeness,
    sources_complete.complete_until,
    max(cycles.known_at) as known_at,
    'wd5-v2' as method_version
from cycles
cross join cities
cross join sources_complete
group by all
order by period_start
