with requests as (

    select * from {{ ref('int_tickets_1777__requests_current') }}

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

-- the day of receipt does not count, so the promise ends with the fifth working day after it
promised as (

    select
        requests.*,
        received_days.working_day_no as received_working_day_no,
        due_days.calendar_date as due_date,
        timezone(cities.time_zone, (due_days.calendar_date + 1)::timestamp) as due_at,
        case when requests.status = 'closed' then requests.updated_at end as replied_at,
        timezone(cities.time_zone, case when requests.status = 'closed' then requests.updated_at end)::date
            as replied_date,
        sources_complete.complete_until
    from requests
    cross join cities
    left join sources_complete
        on true
    left join calendar_days as received_days
        on requests.requested_date = received_days.calendar_date
    left join calendar_days as due_days
        on
            due_days.is_working_day
            and received_days.working_day_no + 5 = due_days.working_day_no

)

select
    promised.service_request_id,
    promised.status,
    promised.service_code,
    promised.service_name,
    promised.agency_responsible,
    promised.requested_at,
    promised.requested_date,
    promised.due_date,
    promised.due_at,
    promised.replied_at,
    promised.replied_at is not null as is_closure_proxy,
    replied_days.working_day_no - promised.received_working_day_no as working_days_to_reply,
    case
        when promised.due_at is null then null
        when promised.replied_at < promised.due_at then 'on_time'
        when promised.replied_at is not null then 'late'
        when promised.due_at <= promised.complete_until then 'overdue_open'
        else 'pending'
    end as outcome,
    promised.complete_until,
    promised.known_at
from promised
left join calendar_days as replied_days
    on promised.replied_date = replied_days.calendar_date
order by promised.requested_at, promised.service_request_id
