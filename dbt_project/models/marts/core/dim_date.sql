with calendar_days as (

    select * from {{ ref('int_calendar_days') }}

),

named as (

    select
        *,
        ['maandag', 'dinsdag', 'woensdag', 'donderdag', 'vrijdag', 'zaterdag', 'zondag'] as day_names,
        [
            'januari', 'februari', 'maart', 'april', 'mei', 'juni',
            'juli', 'augustus', 'september', 'oktober', 'november', 'december'
        ] as month_names
    from calendar_days
    where calendar_date between date '2019-01-01' and date '2050-12-31'

)

select
    calendar_date as date_day,
    year(calendar_date)::bigint as year_no,
    quarter(calendar_date)::bigint as quarter_no,
    month(calendar_date)::bigint as month_no,
    day(calendar_date)::bigint as day_of_month,
    isodow(calendar_date)::bigint as iso_day_of_week,
    day_names[isodow(calendar_date)] as day_name_nl,
    month_names[month(calendar_date)] as month_name_nl,
    strftime(calendar_date, '%Y-%m') as year_month,
    year(calendar_date)::varchar || '-K' || quarter(calendar_date)::varchar as year_quarter,
    isoyear(calendar_date)::bigint as iso_year_no,
    weekofyear(calendar_date)::bigint as iso_week_no,
    isoyear(calendar_date)::varchar || '-W' || lpad(weekofyear(calendar_date)::varchar, 2, '0') as iso_week_label,
    holiday_name,
    closing_reason,
    is_working_day,
    working_day_no
from named
order by date_day
