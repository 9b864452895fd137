select
    build_id,
    as_of_date,
    city,
    is_synthetic
from {{ source('pipeline', 'build') }}
