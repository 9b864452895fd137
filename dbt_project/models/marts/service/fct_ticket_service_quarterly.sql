with counts as (

    select * from {{ ref('int_tickets_1777__quarterly_shown') }}

)

select
    quarter_start,
    quarter_end,
    quarter_start as date_key,
    department_id,
    theme_nl,
    {{ ticket_service() }}
from counts
order by quarter_start, department_id, theme_nl
