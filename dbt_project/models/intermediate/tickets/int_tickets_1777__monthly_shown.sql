{{ config(meta={'suppresses': true}) }}

-- The cells of a month add up to the questions of the whole city, which the KPIs tell. What a cell is split into is
-- hidden by split: one late answer of twenty is one person too.
{{ suppressed(
    ref('int_tickets_1777__monthly_counts'),
    total_by=['month_start'],
    cell=['department_id', 'theme_nl'],
    count='least(n_received, coalesce(nullif(n, 0), n_received))',
    measures=[
        'n_received', 'n_first_line', 'n_duplicate', 'n_withdrawn', 'n_doubtful_duplicate', 'n_pending', 'n', 'n_on_time',
        'n_late', 'n_overdue_open', 'n_closure_proxy', 'n_reopened', 'n_every_cycle_on_time', 'median_working_days',
        'p90_working_days'
    ],
    parts=[
        {
            'counts': [
                'n_on_time', 'n_late', 'n_overdue_open', 'n_every_cycle_on_time', '(n - n_on_time)',
                '(n - n_every_cycle_on_time)', '(n_on_time - n_every_cycle_on_time)'
            ],
            'measures': ['n_on_time', 'n_late', 'n_overdue_open', 'n_every_cycle_on_time']
        },
        {
            'counts': [
                'n_first_line', 'n_duplicate', 'n_withdrawn', 'n_doubtful_duplicate', 'n_pending', '(n_received - n)'
            ],
            'measures': [
                'n_received', 'n_first_line', 'n_duplicate', 'n_withdrawn', 'n_doubtful_duplicate', 'n_pending'
            ]
        },
        {'counts': ['n_closure_proxy', '(n - n_closure_proxy)'], 'measures': ['n_closure_proxy']},
        {'counts': ['n_reopened', '(n + n_pending - n_reopened)'], 'measures': ['n_reopened']}
    ]
) }}
