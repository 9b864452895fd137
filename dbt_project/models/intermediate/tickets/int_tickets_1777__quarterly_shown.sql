{{ config(meta={'suppresses': true}) }}

-- The themes of a department that is told month by month add up to its own quarter. Of departments that are hidden from
-- the first month of a quarter on nobody knows the quarter: their themes are told from five on. A department that was
-- hidden half way is not told at all, for its quarter less the months that are told is what is hidden.
with counts as (

    select * from {{ ref('int_tickets_1777__quarterly_counts') }}

),

hiding as (

    select
        quarter_start,
        department_id,
        bool_or(is_suppressed) as is_hidden,
        bool_and(is_suppressed) as is_hidden_throughout
    from {{ ref('int_tickets_1777__monthly_shown') }}
    group by quarter_start, department_id

),

placed as (

    select
        counts.*,
        case when hiding.is_hidden then 'samen' else counts.department_id end as total_id,
        not counts.has_small_month and (not hiding.is_hidden or hiding.is_hidden_throughout) as may_be_told
    from counts
    inner join hiding
        on
            counts.quarter_start = hiding.quarter_start
            and counts.department_id = hiding.department_id
    where counts.is_settled

),

told as (

    select * from placed
    where may_be_told

),

-- the macro names its own CTEs, so it stands alone
hidden as (

    {{ suppressed(
        'told',
        total_by=['quarter_start', 'total_id'],
        cell=['department_id', 'theme_nl'],
        count=questions_in_cell(),
        measures=[]
    ) }}

),

decided as (

    select
        counts.*,
        hiding.is_hidden as is_department_hidden,
        coalesce(hidden.is_suppressed, true) as is_suppressed
    from counts
    inner join hiding
        on
            counts.quarter_start = hiding.quarter_start
            and counts.department_id = hiding.department_id
    left join hidden
        on
            counts.quarter_start = hidden.quarter_start
            and counts.department_id = hidden.department_id
            and counts.theme_nl = hidden.theme_nl

)

select
    * replace (
        {% for measure in ticket_measures() %}
        case when not is_suppressed then {{ measure }} end as {{ measure }},
        {% endfor %}
        is_settled and is_suppressed as is_suppressed
    ),
    case
        when not is_settled then 'nog niet elke termijn is voorbij'
        when is_suppressed then 'minder dan vijf vragen, of daaruit te herleiden'
        when n = 0 then 'geen vragen'
        when median_working_days is null then 'nog geen antwoord'
    end as empty_reason_nl
from decided
