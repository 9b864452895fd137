{{ config(meta={'suppresses': true}) }}

-- Questions by statistical sector, of the twelve months up to the last in which a term ended: a month alone would hide
-- nearly every sector. The sectors add up to the questions of the whole city.
with tickets as (

    select
        *,
        date_trunc('month', requested_date)::date as month_start
    from {{ ref('fct_tickets') }}
    where is_counted and is_term_over

),

months as (

    select max(month_start) as month_start from tickets

),

counted as (

    select
        coalesce(tickets.sector_id, 'onbekend') as sector_id,
        count(*) filter (where tickets.outcome in ('late', 'overdue_open')) as n_late,
        count(*) as n,
        count(*) filter (where tickets.outcome in ('late', 'overdue_open')) as late,
        count(*) as asked
    from months
    inner join tickets
        on tickets.month_start > months.month_start - interval 12 month
    group by coalesce(tickets.sector_id, 'onbekend')

),

-- the macro names its own CTEs, so it stands alone
shown as (

    {{ suppressed(
        'counted',
        total_by=['true'],
        cell=['sector_id'],
        count='n',
        measures=['n_late', 'n'],
        parts=[{'counts': ['n_late', '(n - n_late)'], 'measures': ['n_late']}]
    ) }}

)

-- what is hidden is one group, told where it is none or five and more
select
    case when n_late is null then 'overige' else sector_id end as sector_id,
    sum(late)::bigint as n_late,
    sum(asked)::bigint as n
from shown
group by all
having sum(late) not between 1 and 4 and sum(asked) >= 5
