select *
from {{ ref('stg_tickets_1777__requests') }}
{{ latest_version(key=['service_request_id'], version=['updated_at']) }}
