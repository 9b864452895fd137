{{ config(tags=['note']) }}

-- seconds are two clocks of one system; over a day is a moment that somebody should look at
select
    service_request_id,
    put_later_seconds
from {{ ref('int_tickets_1777__requests_current') }}
where put_later_seconds > 86400
