-- Every cell, however small: hiding the ones that could point at a person comes after this model, not in it.
with tickets as (

    select * from {{ ref('fct_tickets') }}

),

measured as (

    select
        *,
        date_trunc('month', requested_date)::date as month_start,
        is_counted and is_term_over as is_measured
    from tickets

)

select
    month_start,
    last_day(month_start) as month_end,
    coalesce(department_id, 'onbekend') as department_id,
    coalesce(theme_nl, 'onbekend') as theme_nl,
    count(*) as n_received,
    count(*) filter (where is_first_line) as n_first_line,
    count(*) filter (where is_duplicate) as n_duplicate,
    count(*) filter (where is_withdrawn) as n_withdrawn,
    count(*) filter (where duplicate_problem is not null) as n_doubtful_duplicate,
    count(*) filter (where is_counted and not is_term_over) as n_pending,
    count(*) filter (where is_measured) as n,
    count(*) filter (where is_measured and outcome = 'on_time') as n_on_time,
    count(*) filter (where is_measured and outcome = 'late') as n_late,
    count(*) filter (where is_measured and outcome = 'overdue_open') as n_overdue_open,
    count(*) filter (where is_measured and is_closure_proxy) as n_closure_proxy,
    count(*) filter (where is_counted and cycles > 1) as n_reopened,
    count(*) filter (where is_measured and is_every_cycle_on_time) as n_every_cycle_on_time,
    median(working_days_to_reply) filter (where is_measured) as median_working_days,
    (quantile_disc(working_days_to_reply, 0.9) filter (where is_measured))::double as p90_working_days,
    max(complete_until) as complete_until,
    max(known_at) as known_at
from measured
group by month_start, coalesce(department_id, 'onbekend'), coalesce(theme_nl, 'onbekend')
