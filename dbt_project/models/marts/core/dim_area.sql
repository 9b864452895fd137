select
    area_id,
    area_type,
    name_nl,
    parent_area_id
from {{ ref('areas') }}
order by area_id
