{{ config(meta={'suppresses': true}) }}

-- Questions that wait too long at the moment up to which the source speaks, by department: how many wait is what the
-- city did, and is told of every department that was asked five questions or more.
with departments as (

    select
        department_id,
        sum(n)::bigint as n,
        sum(n_overdue_open)::bigint as n_overdue,
        max(complete_until) as complete_until,
        max(known_at) as known_at
    from {{ ref('int_tickets_1777__monthly_counts') }}
    group by department_id

),

shown as (

    {{ emptied_below_five('departments', count='n', measures=['n_overdue']) }}

)

select
    department_id,
    n_overdue,
    is_suppressed,
    case when is_suppressed then 'minder dan vijf vragen' end as empty_reason_nl,
    complete_until,
    known_at
from shown
