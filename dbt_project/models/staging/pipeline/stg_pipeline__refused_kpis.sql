select
    batch_id,
    source as source_name,
    kpi_id,
    rows as refused
from {{ source('pipeline', 'refused_kpis') }}
