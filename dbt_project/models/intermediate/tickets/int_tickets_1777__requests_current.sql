{{ latest_version(ref('stg_tickets_1777__requests'), key=['service_request_id'], version=['updated_at']) }}
