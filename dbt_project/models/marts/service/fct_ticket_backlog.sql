with overdue as (

    select * from {{ ref('int_tickets_1777__overdue_shown') }}

),

cities as (

    select * from {{ ref('city') }}

)

select
    overdue.department_id,
    timezone(cities.time_zone, overdue.complete_until - interval 1 microsecond)::date as date_key,
    overdue.n_overdue,
    overdue.is_suppressed,
    overdue.empty_reason_nl,
    overdue.complete_until,
    overdue.known_at
from overdue
cross join cities
order by overdue.department_id
