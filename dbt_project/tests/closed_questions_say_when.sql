{{ config(tags=['data']) }}

-- one that does not counts neither as on time nor as late: one in fifty is more than a slip of a desk
select
    count(*) as questions_closed,
    count(*) filter (where replied_at is null) as questions_without_moment
from {{ ref('fct_tickets') }}
where status = 'closed'
having count(*) filter (where replied_at is null) > 0.02 * count(*)
