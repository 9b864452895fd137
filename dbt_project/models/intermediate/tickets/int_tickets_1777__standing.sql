-- A repeated question is answered with the first one, so only the first counts, also where the system says that it is
-- repeated and not of which. A parent that is not there, or a chain that bites its tail, proves nothing: such a request
-- counts as any other, and says so.
with recursive requests as (

    select * from {{ ref('int_tickets_1777__requests_current') }}

),

links as (

    select
        requests.service_request_id,
        requests.duplicate_of
    from requests
    inner join requests as parents
        on requests.duplicate_of = parents.service_request_id

),

ancestors as (

    select
        service_request_id,
        duplicate_of as ancestor_id
    from links
    union
    select
        ancestors.service_request_id,
        links.duplicate_of as ancestor_id
    from ancestors
    inner join links
        on ancestors.ancestor_id = links.service_request_id

),

circles as (

    select service_request_id
    from ancestors
    where service_request_id = ancestor_id

),

-- a request that two full readings missed is gone; one that comes back is delivered again, later
withdrawals as (

    select
        service_request_id,
        max(event_at) filter (where event_id like 'missing/%') as missed_at,
        bool_or(event_id not like 'missing/%') as is_said
    from {{ ref('int_tickets_1777__events_current') }}
    where event_type = 'withdrawn'
    group by service_request_id

),

repetitions as (

    select distinct service_request_id
    from {{ ref('int_tickets_1777__events_current') }}
    where event_type = 'duplicate'

)

select
    requests.service_request_id,
    case
        when requests.duplicate_of is null
            then repetitions.service_request_id is not null or coalesce(requests.state = 'duplicate', false)
        else links.service_request_id is not null and circles.service_request_id is null
    end as is_duplicate,
    case
        when circles.service_request_id is not null then 'cyclic'
        when requests.duplicate_of is not null and links.service_request_id is null then 'missing'
    end as duplicate_problem,
    coalesce(withdrawals.is_said, false)
    or coalesce(withdrawals.missed_at >= requests.supplied_at, false)
    or coalesce(
        -- a batch from before version 4 of the contract has the system's own word only
        requests.state = 'withdrawn'
        or requests.state is null and requests.status_description in (
            'withdrawn', 'ingetrokken', 'cancelled', 'canceled', 'geannuleerd', 'spam', 'test'
        ),
        false
    ) as is_withdrawn,
    coalesce(requests.is_first_line, false) as is_first_line
from requests
left join links
    on requests.service_request_id = links.service_request_id
left join circles
    on requests.service_request_id = circles.service_request_id
left join withdrawals
    on requests.service_request_id = withdrawals.service_request_id
left join repetitions
    on requests.service_request_id = repetitions.service_request_id
