with requests as (

    select * from {{ ref('int_tickets_1777__requests_current') }}

),

standing as (

    select * from {{ ref('int_tickets_1777__standing') }}

),

cycles as (

    select * from {{ ref('fct_ticket_cycles') }}

),

per_request as (

    select
        service_request_id,
        count(*) as cycles,
        coalesce(bool_and(outcome = 'on_time') filter (where is_term_over), false) as is_every_cycle_on_time
    from cycles
    group by service_request_id

)

select
    requests.service_request_id,
    requests.status,
    requests.service_code,
    requests.service_name,
    requests.agency_responsible,
    cycles.department_id,
    cycles.theme_nl,
    requests.sector_id,
    requests.channel,
    requests.requested_at,
    requests.requested_date,
    cycles.due_date,
    cycles.due_at,
    cycles.replied_at,
    cycles.is_closure_proxy,
    cycles.working_days_to_reply,
    cycles.outcome,
    cycles.is_term_over,
    per_request.cycles,
    per_request.is_every_cycle_on_time,
    standing.is_first_line,
    standing.is_duplicate,
    standing.duplicate_problem,
    standing.is_withdrawn,
    cycles.is_counted,
    cycles.complete_until,
    cycles.known_at
from requests
inner join standing
    on requests.service_request_id = standing.service_request_id
inner join per_request
    on requests.service_request_id = per_request.service_request_id
inner join cycles
    on
        requests.service_request_id = cycles.service_request_id
        and cycles.cycle_no = 1
order by requests.requested_at, requests.service_request_id
