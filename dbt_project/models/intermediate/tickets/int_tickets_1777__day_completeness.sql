-- Of the working days of a month, from the first question on and up to the last whole day of which the source tells,
-- on how many at least one question came in. Where five a day are usual a day without any is a day that did not
-- arrive; where fewer are, it says nothing, and nothing is expected.
with requests as (

    select
        requested_date,
        count(*) as received
    from {{ ref('int_tickets_1777__requests_current') }}
    group by requested_date

),

working_days as (

    select calendar_date
    from {{ ref('int_calendar_days') }}
    where is_working_day

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'tickets_1777'

),

spans as (

    select
        sources_complete.last_whole_date,
        min(requests.requested_date) as first_date
    from sources_complete
    cross join requests
    group by sources_complete.last_whole_date

),

expected as (

    select
        working_days.calendar_date,
        requests.received
    from working_days
    inner join spans
        on working_days.calendar_date between spans.first_date and spans.last_whole_date
    left join requests
        on working_days.calendar_date = requests.requested_date

),

usual as (

    select coalesce(median(received), 0) as received from expected

)

select
    date_trunc('month', expected.calendar_date)::date as month_start,
    case
        when any_value(usual.received) >= 5 then count(expected.received) / count(*)::double
        else 1.0
    end as completeness
from expected
cross join usual
group by date_trunc('month', expected.calendar_date)
