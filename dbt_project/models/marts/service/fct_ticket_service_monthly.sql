with counts as (

    select * from {{ ref('int_tickets_1777__monthly_shown') }}

)

select
    month_start,
    month_end,
    month_start as date_key,
    department_id,
    {{ ticket_service() }}
from counts
order by month_start, department_id
