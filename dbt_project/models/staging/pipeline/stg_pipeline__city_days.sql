select
    date as calendar_date,
    holiday as holiday_name,
    closing_reason,
    is_working_day,
    working_day_no
from {{ source('pipeline', 'city_days') }}
