-- Sums of what the two other tables tell, so that this one tells nothing more: three months that are each told, or of a
-- department whose months are hidden, a quarter of which every theme is told.
with months as (

    select * from {{ ref('int_tickets_1777__monthly_shown') }}
    where is_settled

),

quarters as (

    select
        quarter_end,
        department_id,
        {% for count in ticket_measures() if count.startswith('n') %}
        case when count(*) = count(n) then sum({{ count }}) end as {{ count }},
        {% endfor %}
        max(known_at) as known_at
    from {{ ref('int_tickets_1777__quarterly_shown') }}
    group by quarter_end, department_id

),

windows as (

    select
        months.month_start,
        months.month_end,
        months.department_id,
        {% for count in ticket_measures() if count.startswith('n') %}
        case when count(earlier.n) = 3 then sum(earlier.{{ count }}) end as {{ count }},
        {% endfor %}
        bool_or(earlier.is_calendar_assumed) as is_calendar_assumed,
        max(months.complete_until) as complete_until,
        max(earlier.known_at) as known_at
    from months
    inner join months as earlier
        on
            months.department_id = earlier.department_id
            and earlier.month_start between months.month_start - interval 2 month and months.month_start
    group by months.month_start, months.month_end, months.department_id
    -- the first window is one of three months
    having count(*) = 3

),

told as (

    select
        (windows.month_start - interval 2 month)::date as period_start,
        windows.month_end as period_end,
        windows.department_id,
        {% for count in ticket_measures() if count.startswith('n') %}
        coalesce(windows.{{ count }}, quarters.{{ count }})::bigint as {{ count }},
        {% endfor %}
        windows.is_calendar_assumed,
        windows.complete_until,
        windows.known_at
    from windows
    left join quarters
        on
            windows.month_end = quarters.quarter_end
            and windows.department_id = quarters.department_id

)

select
    period_start,
    period_end,
    period_end as date_key,
    department_id,
    n,
    n_first_line,
    n_on_time,
    n_late,
    n_overdue_open,
    {{ ticket_shares() }},
    n is null as is_suppressed,
    case
        when n is null then 'minder dan vijf vragen, of daaruit te herleiden'
        when n = 0 then 'geen vragen'
    end as empty_reason_nl,
    is_calendar_assumed,
    {{ ticket_method() }} as calculation_version,
    complete_until,
    known_at
from told
order by period_end, department_id
