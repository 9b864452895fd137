select
    kpi_id,
    area_id,
    ref_date,
    value,
    unit,
    source_name,
    published_date,
    uncertainty_low,
    uncertainty_high,
    is_checked,
    embargo_until_at,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('indicators', 'observations') }}
