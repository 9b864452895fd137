select
    build_id,
    {{ as_of_date('as_of_date') }} as as_of_date,
    city,
    is_synthetic,
    case when is_synthetic then 'Synthetische gegevens (demo)' end as label_nl
from {{ ref('stg_pipeline__build') }}
