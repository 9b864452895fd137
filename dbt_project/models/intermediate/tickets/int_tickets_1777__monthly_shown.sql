{{ config(meta={'suppresses': true}) }}

-- The departments of a month add up to the questions of the whole city, which a KPI tells. What is hidden of a quarter
-- stays hidden to its end: a later month takes nothing back that was told, and the quarter gives nothing away.
with counts as (

    select * from {{ ref('int_tickets_1777__monthly_counts') }}

),

settled as (

    select * from counts
    where is_settled

),

-- the macro names its own CTEs, so it stands alone
hidden as (

    {{ suppressed(
        'settled', total_by=['month_start'], cell=['department_id'], count=questions_in_cell(), measures=[]
    ) }}

),

decided as (

    select
        counts.*,
        bool_or(hidden.is_suppressed) over (
            partition by counts.quarter_start, counts.department_id
            order by counts.month_start
        ) as is_suppressed
    from counts
    left join hidden
        on
            counts.month_start = hidden.month_start
            and counts.department_id = hidden.department_id

)

select
    * replace (
        {% for measure in ticket_measures() %}
        case when is_settled and not is_suppressed then {{ measure }} end as {{ measure }},
        {% endfor %}
        coalesce(is_suppressed and is_settled, false) as is_suppressed
    ),
    case
        when not is_settled then 'nog niet elke termijn is voorbij'
        when is_suppressed then 'minder dan vijf vragen, of daaruit te herleiden'
        when n = 0 then 'geen vragen'
        when median_working_days is null then 'nog geen antwoord'
    end as empty_reason_nl
from decided
