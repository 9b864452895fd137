-- One row a day without a gap, from the year of the first thing a registry or a figure names on: what was measured
-- against 2005 joins to 2005. Before the city's calendar begins nobody knows its working days.
with calendar_days as (

    select * from {{ ref('int_calendar_days') }}

),

builds as (

    select as_of_date from {{ ref('stg_pipeline__build') }}

),

named_days as (

    select min(baseline_date) as first_date from {{ ref('targets') }}
    union all
    select min(ref_date) as first_date from {{ ref('stg_indicators__observations') }}
    union all
    -- promises and the figures beside them go back to 2005 in any city
    select date '2005-01-01' as first_date

),

spans as (

    select
        -- a year that somebody mistyped is no year of the city
        greatest(date_trunc('year', min(first_date)), date '1900-01-01') as first_at,
        timestamp '2050-12-31' as last_at
    from named_days

),

days as (

    select series.day_at::date as date_day
    from spans
    cross join unnest(generate_series(spans.first_at::timestamp, spans.last_at, interval 1 day)) as series (day_at)

),

named as (

    select
        date_day,
        ['maandag', 'dinsdag', 'woensdag', 'donderdag', 'vrijdag', 'zaterdag', 'zondag'] as day_names,
        [
            'januari', 'februari', 'maart', 'april', 'mei', 'juni',
            'juli', 'augustus', 'september', 'oktober', 'november', 'december'
        ] as month_names
    from days

)

select
    named.date_day,
    year(named.date_day)::bigint as year_no,
    quarter(named.date_day)::bigint as quarter_no,
    month(named.date_day)::bigint as month_no,
    day(named.date_day)::bigint as day_of_month,
    isodow(named.date_day)::bigint as iso_day_of_week,
    named.day_names[isodow(named.date_day)] as day_name_nl,
    named.month_names[month(named.date_day)] as month_name_nl,
    strftime(named.date_day, '%Y-%m') as year_month,
    date_trunc('month', named.date_day)::date as month_start,
    last_day(named.date_day) as month_end,
    (100 * year(named.date_day) + month(named.date_day))::bigint as month_sort,
    year(named.date_day)::varchar || '-K' || quarter(named.date_day)::varchar as year_quarter,
    date_trunc('quarter', named.date_day)::date as quarter_start,
    (10 * year(named.date_day) + quarter(named.date_day))::bigint as quarter_sort,
    isoyear(named.date_day)::bigint as iso_year_no,
    weekofyear(named.date_day)::bigint as iso_week_no,
    isoyear(named.date_day)::varchar || '-W' || lpad(weekofyear(named.date_day)::varchar, 2, '0') as iso_week_label,
    (100 * isoyear(named.date_day) + weekofyear(named.date_day))::bigint as iso_week_sort,
    named.date_day < builds.as_of_date as is_complete,
    last_day(named.date_day) < builds.as_of_date as is_month_complete,
    calendar_days.holiday_name,
    calendar_days.closing_reason,
    calendar_days.is_working_day,
    calendar_days.working_day_no
from named
cross join builds
left join calendar_days
    on named.date_day = calendar_days.calendar_date
order by named.date_day
