select
    department_id,
    n_overdue,
    is_suppressed,
    complete_until,
    known_at
from {{ ref('int_tickets_1777__overdue_shown') }}
order by department_id
