{#- What is counted of the questions of a cell, every cell and however small: which of it may be told is decided by the
    model after it. tickets: rows of fct_tickets with is_measured. -#}
{% macro ticket_counts() -%}
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
    count(*) filter (where is_measured and cycles > 1) as n_reopened,
    count(*) filter (where is_measured and is_every_cycle_on_time) as n_every_cycle_on_time,
    median(working_days_to_reply) filter (where is_measured) as median_working_days,
    (quantile_disc(working_days_to_reply, 0.9) filter (where is_measured))::double as p90_working_days,
    max(complete_until) as complete_until,
    max(known_at) as known_at
{%- endmacro %}

{#- The number of questions in a cell: those whose term is over, or where there are none, those answered at once. -#}
{% macro questions_in_cell() -%} coalesce(nullif(n, 0), n_first_line) {%- endmacro %}

{#- How an answer in time is judged: the term of five working days, in its second version. -#}
{% macro ticket_method() -%} 'wd5-v2' {%- endmacro %}

{#- What a shown cell tells of its questions. Late or in time is what the city did; withdrawn or repeated is what
    persons did, and is told of no cell. -#}
{% macro ticket_measures() -%}
    {{ return([
        'n', 'n_first_line', 'n_on_time', 'n_late', 'n_overdue_open', 'n_closure_proxy', 'n_reopened',
        'n_every_cycle_on_time', 'median_working_days', 'p90_working_days'
    ]) }}
{%- endmacro %}

{#- What the tables of months and of quarters tell of a cell, after its period and its key. -#}
{% macro ticket_service() -%}
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
    {{ ticket_method() }} as calculation_version,
    complete_until,
    known_at
{%- endmacro %}

{#- The shares of a cell and how sure they are; a cell without a question has none. -#}
{% macro ticket_shares() -%}
    100.0::double * n_on_time / nullif(n, 0) as on_time_percent,
    {% for sign, bound in [(-1, 'low'), (1, 'high')] -%}
    case when n > 0 then 100 * {{ wilson_bound('(n_on_time / n)', 'n', sign) }} end as wilson_{{ bound }},
    {% endfor -%}
    100.0::double * n_every_cycle_on_time / nullif(n, 0) as every_cycle_on_time_percent,
    100.0::double * n_closure_proxy / nullif(n, 0) as closure_proxy_percent,
    100.0::double * n_reopened / nullif(n, 0) as reopened_percent
{%- endmacro %}
