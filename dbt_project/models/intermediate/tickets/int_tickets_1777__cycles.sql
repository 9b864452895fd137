-- A reopened question is asked again: it gets a term and a reply of its own. The first reply to the citizen ends a
-- cycle; an automatic acknowledgement is none. Closing without a reply stands in for it, and is marked.
with requests as (

    select * from {{ ref('int_tickets_1777__requests_current') }}

),

events as (

    select * from {{ ref('int_tickets_1777__events_current') }}

),

states as (

    select
        service_request_id,
        event_id,
        event_at,
        case
            when event_type = 'reopened' then 'reopened'
            when event_type = 'closed' or status = 'closed' then 'closed'
            when status = 'open' then 'open'
        end as state
    from events

),

changes as (

    select
        service_request_id,
        event_at,
        state,
        lag(state) over (partition by service_request_id order by event_at, event_id) as previous_state
    from states
    where state is not null

),

starts as (

    select
        service_request_id,
        requested_at as started_at
    from requests
    union
    select
        changes.service_request_id,
        changes.event_at as started_at
    from changes
    inner join requests
        on
            changes.service_request_id = requests.service_request_id
            and changes.event_at > requests.requested_at
    where
        (changes.state = 'reopened' and changes.previous_state is distinct from 'reopened')
        or (changes.state = 'open' and changes.previous_state = 'closed')

),

numbered as (

    select
        service_request_id,
        started_at,
        row_number() over (partition by service_request_id order by started_at) as cycle_no,
        lead(started_at) over (partition by service_request_id order by started_at) as reopened_at
    from starts

),

ends as (

    select
        numbered.service_request_id,
        numbered.cycle_no,
        numbered.started_at,
        numbered.reopened_at,
        min(events.event_at) filter (where events.event_type = 'replied') as reply_at,
        min(events.event_at) filter (where events.event_type = 'closed') as closing_at,
        max(events.known_at) as events_known_at
    from numbered
    left join events
        on
            numbered.service_request_id = events.service_request_id
            and (numbered.cycle_no = 1 or numbered.started_at <= events.event_at)
            and (numbered.reopened_at is null or numbered.reopened_at > events.event_at)
    group by all

),

closed as (

    select
        ends.*,
        requests.known_at,
        coalesce(
            ends.closing_at,
            -- what is reopened was closed before, at the latest then
            ends.reopened_at,
            case when requests.status = 'closed' then coalesce(requests.closed_at, requests.updated_at) end
        ) as said_ended_at
    from ends
    inner join requests
        on ends.service_request_id = requests.service_request_id

),

-- clocks of one system run apart: what happened to a question happened after it was asked
answered as (

    select
        *,
        case when reply_at < started_at then started_at else reply_at end as first_reply_at,
        case
            when said_ended_at >= started_at then said_ended_at
            when said_ended_at is not null and cycle_no = 1 then started_at
        end as ended_at
    from closed

)

select
    service_request_id,
    cycle_no::bigint as cycle_no,
    started_at,
    reopened_at,
    coalesce(first_reply_at, ended_at) as replied_at,
    first_reply_at is null and ended_at is not null as is_closure_proxy,
    greatest(known_at, events_known_at) as known_at
from answered
