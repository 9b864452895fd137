select
    status,
    label_nl,
    label_en,
    sort_order
from {{ ref('status_labels') }}
order by sort_order
