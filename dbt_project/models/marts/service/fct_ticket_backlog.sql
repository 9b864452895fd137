select
    department_id,
    n_overdue,
    is_suppressed,
    empty_reason_nl,
    complete_until,
    known_at
from {{ ref('int_tickets_1777__overdue_shown') }}
order by department_id
