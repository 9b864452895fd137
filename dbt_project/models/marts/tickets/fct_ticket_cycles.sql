-- The clock runs by the number of a working day, so a term is a subtraction. The day of the question does not count:
-- the promise ends with the fifth working day after it.
with cycles as (

    select * from {{ ref('int_tickets_1777__cycles') }}

),

requests as (

    select * from {{ ref('int_tickets_1777__requests_current') }}

),

standing as (

    select * from {{ ref('int_tickets_1777__standing') }}

),

calendar_days as (

    select * from {{ ref('int_calendar_days') }}

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'tickets_1777'

),

responsible as (

    select
        *,
        lead(valid_from) over (partition by service_code order by valid_from) as valid_to
    from {{ ref('tickets_departments') }}

),

dated as (

    select
        cycles.*,
        timezone(cities.time_zone, cycles.started_at)::date as started_date,
        timezone(cities.time_zone, cycles.replied_at)::date as replied_date,
        cities.time_zone,
        sources_complete.complete_until
    from cycles
    cross join cities
    left join sources_complete
        on true

),

promised as (

    select
        dated.*,
        started_days.working_day_no as started_working_day_no,
        due_days.calendar_date as due_date,
        timezone(dated.time_zone, (due_days.calendar_date + 1)::timestamp) as due_at
    from dated
    left join calendar_days as started_days
        on dated.started_date = started_days.calendar_date
    left join calendar_days as due_days
        on
            due_days.is_working_day
            and started_days.working_day_no + 5 = due_days.working_day_no

)

select
    promised.service_request_id,
    promised.cycle_no,
    promised.started_at,
    promised.started_date,
    promised.due_date,
    promised.due_at,
    promised.replied_at,
    promised.is_closure_proxy,
    replied_days.working_day_no - promised.started_working_day_no as working_days_to_reply,
    case
        when promised.due_at is null then null
        when requests.status = 'closed' and promised.replied_at is null then null
        when promised.replied_at < promised.due_at then 'on_time'
        when promised.replied_at is not null then 'late'
        when promised.due_at <= promised.complete_until then 'overdue_open'
        else 'pending'
    end as outcome,
    coalesce(promised.due_at <= promised.complete_until, false) as is_term_over,
    promised.cycle_no = 1
    and not standing.is_first_line
    and not standing.is_duplicate
    and not standing.is_withdrawn
    -- it was answered, but nobody says when: neither on time nor late
    and (requests.status is distinct from 'closed' or promised.replied_at is not null) as is_counted,
    responsible.department_id,
    coalesce(responsible.theme_nl, requests.service_name) as theme_nl,
    promised.complete_until,
    promised.known_at
from promised
inner join requests
    on promised.service_request_id = requests.service_request_id
inner join standing
    on promised.service_request_id = standing.service_request_id
left join calendar_days as replied_days
    on promised.replied_date = replied_days.calendar_date
left join responsible
    on
        requests.service_code = responsible.service_code
        -- who had it when it was answered, or when the term ended without an answer
        and responsible.valid_from <= coalesce(least(promised.replied_date, promised.due_date), promised.started_date)
        and (
            responsible.valid_to is null
            or responsible.valid_to > coalesce(least(promised.replied_date, promised.due_date), promised.started_date)
        )
order by promised.started_at, promised.service_request_id
