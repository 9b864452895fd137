select
    service_request_id,
    status,
    service_code,
    service_name,
    agency_responsible,
    zipcode,
    requested_at,
    updated_at,
    expected_at,
    requested_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('tickets_1777', 'requests') }}
