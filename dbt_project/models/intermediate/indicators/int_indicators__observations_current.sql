select *
from {{ ref('stg_indicators__observations') }}
{{ latest_version(key=['kpi_id', 'area_id', 'ref_date'], version=['published_date']) }}
