select
    department_id,
    name_nl,
    name_en
from {{ ref('departments') }}
order by department_id
