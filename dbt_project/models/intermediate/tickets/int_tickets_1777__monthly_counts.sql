-- Every department in every month, however few its questions: hiding the ones that could point at a person comes after
-- this model, not in it. A department without a question has a row too, for a row that is not there tells a zero.
with tickets as (

    select
        *,
        date_trunc('month', requested_date)::date as month_start,
        coalesce(department_id, 'onbekend') as cell_department_id,
        is_counted and is_term_over as is_measured
    from {{ ref('fct_tickets') }}

),

months as (

    select * from {{ ref('int_tickets_1777__months') }}

),

departments as (

    select distinct cell_department_id from tickets

),

counted as (

    select
        month_start,
        cell_department_id,
        {{ ticket_counts() }}
    from tickets
    group by month_start, cell_department_id

)

select
    months.month_start,
    months.month_end,
    months.quarter_start,
    months.is_settled,
    departments.cell_department_id as department_id,
    {% for count in [
        'n_received', 'n_first_line', 'n_duplicate', 'n_withdrawn', 'n_doubtful_duplicate', 'n_pending', 'n',
        'n_on_time', 'n_late', 'n_overdue_open', 'n_closure_proxy', 'n_reopened', 'n_every_cycle_on_time'
    ] %}
    coalesce(counted.{{ count }}, 0) as {{ count }},
    {% endfor %}
    counted.median_working_days,
    counted.p90_working_days,
    months.is_calendar_assumed,
    months.complete_until,
    counted.known_at
from months
cross join departments
left join counted
    on
        months.month_start = counted.month_start
        and departments.cell_department_id = counted.cell_department_id
