with counts as (

    select * from {{ ref('int_tickets_1777__monthly_shown') }}

)

select
    month_start,
    month_end,
    department_id,
    n,
    n_first_line,
    n_on_time,
    n_late,
    n_overdue_open,
    {{ ticket_shares() }},
    median_working_days,
    p90_working_days,
    is_suppressed,
    empty_reason_nl,
    is_settled,
    is_calendar_assumed,
    'wd5-v2' as method_version,
    complete_until,
    known_at
from counts
order by month_start, department_id
