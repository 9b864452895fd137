{{ config(meta={'suppresses': true}) }}

-- The cells of a month add up to the questions of the whole city, which the KPIs tell.
{{ suppressed(
    ref('int_tickets_1777__monthly_counts'),
    total_by=['month_start'],
    cell=['department_id', 'theme_nl'],
    count='least(n_received, coalesce(nullif(n, 0), n_received))',
    measures=[
        'n_received', 'n_first_line', 'n_duplicate', 'n_withdrawn', 'n_doubtful_duplicate', 'n_pending', 'n', 'n_on_time',
        'n_late', 'n_overdue_open', 'n_closure_proxy', 'n_reopened', 'n_every_cycle_on_time', 'median_working_days',
        'p90_working_days'
    ]
) }}
