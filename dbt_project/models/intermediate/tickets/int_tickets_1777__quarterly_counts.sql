-- Every theme of every department in every quarter, however few its questions; a theme without one has a row too.
with tickets as (

    select
        *,
        date_trunc('quarter', requested_date)::date as quarter_start,
        coalesce(department_id, 'onbekend') as cell_department_id,
        coalesce(theme_nl, 'onbekend') as cell_theme_nl,
        is_counted and is_term_over as is_measured
    from {{ ref('fct_tickets') }}

),

quarters as (

    select
        quarter_start,
        -- of a quarter that the questions do not reach the end of, the last month is not there
        bool_and(is_settled) and max(month_start) = quarter_start + interval 2 month as is_settled,
        -- a month of the whole city that is hidden could be the difference with its quarter
        bool_or(n between 1 and 4) as has_small_month,
        bool_or(is_calendar_assumed) as is_calendar_assumed,
        max(complete_until) as complete_until
    from {{ ref('int_tickets_1777__months') }}
    group by quarter_start

),

themes as (

    select distinct
        cell_department_id,
        cell_theme_nl
    from tickets

),

counted as (

    select
        quarter_start,
        cell_department_id,
        cell_theme_nl,
        {{ ticket_counts() }}
    from tickets
    group by quarter_start, cell_department_id, cell_theme_nl

)

select
    quarters.quarter_start,
    last_day((quarters.quarter_start + interval 2 month)::date) as quarter_end,
    quarters.is_settled,
    quarters.has_small_month,
    themes.cell_department_id as department_id,
    themes.cell_theme_nl as theme_nl,
    {% for count in [
        'n', 'n_first_line', 'n_on_time', 'n_late', 'n_overdue_open', 'n_closure_proxy', 'n_reopened',
        'n_every_cycle_on_time'
    ] %}
    coalesce(counted.{{ count }}, 0) as {{ count }},
    {% endfor %}
    counted.median_working_days,
    counted.p90_working_days,
    quarters.is_calendar_assumed,
    quarters.complete_until,
    counted.known_at
from quarters
cross join themes
left join counted
    on
        quarters.quarter_start = counted.quarter_start
        and themes.cell_department_id = counted.cell_department_id
        and themes.cell_theme_nl = counted.cell_theme_nl
