select
    site_id,
    name_nl,
    department_id,
    area_id,
    floor_area_m2,
    is_synthetic
from {{ ref('sites') }}
order by site_id
