{{ config(meta={'suppresses': true}) }}

-- Questions that wait too long at the moment up to which the source speaks, by department. The months add up to the
-- same questions: what they hide of a department may not come back as the difference with its total.
with counts as (

    select * from {{ ref('int_tickets_1777__monthly_counts') }}

),

shown_months as (

    select * from {{ ref('int_tickets_1777__monthly_shown') }}

),

departments as (

    select
        counts.department_id,
        sum(counts.n_overdue_open)::bigint as n_overdue,
        coalesce(sum(counts.n_overdue_open) filter (where shown_months.n_overdue_open is null), 0)::bigint
            as n_hidden_in_months,
        max(counts.complete_until) as complete_until,
        max(counts.known_at) as known_at
    from counts
    inner join shown_months
        on
            counts.month_start = shown_months.month_start
            and counts.department_id = shown_months.department_id
            and counts.theme_nl = shown_months.theme_nl
    group by counts.department_id

),

-- the macro names its own CTEs, so it stands alone
shown as (

    {{ suppressed(
        'departments',
        total_by=['true'],
        cell=['department_id'],
        count='case when n_hidden_in_months between 1 and 4 then n_hidden_in_months else n_overdue end',
        measures=['n_overdue', 'n_hidden_in_months']
    ) }}

)

select * exclude (n_hidden_in_months)
from shown
