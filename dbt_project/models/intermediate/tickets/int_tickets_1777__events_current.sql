{{ latest_version(ref('stg_tickets_1777__events'), key=['service_request_id', 'event_id'], version=['event_at']) }}
