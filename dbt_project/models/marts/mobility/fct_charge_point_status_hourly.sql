-- Only hours in which the city asked: between two pulls nobody knows.
with polls as (

    -- of two pulls in one hour the last
    select
        date_trunc('hour', supplied_at) as hour_at,
        max(supplied_at) as polled_at
    from {{ ref('int_charge_points__deliveries') }}
    group by date_trunc('hour', supplied_at)

),

history as (

    select * from {{ ref('fct_charge_point_history') }}
    where is_in_stock

),

cities as (

    select * from {{ ref('city') }}

)

select
    history.evse_key,
    polls.hour_at,
    timezone(cities.time_zone, polls.hour_at)::date as hour_date,
    timezone(cities.time_zone, polls.hour_at)::date as date_key,
    hour(timezone(cities.time_zone, polls.hour_at))::bigint as local_hour,
    history.status,
    history.status in ('AVAILABLE', 'BLOCKED', 'CHARGING', 'RESERVED') as is_operational
from polls
inner join history
    on
        polls.polled_at >= history.valid_from_at
        and (history.valid_to_at is null or polls.polled_at < history.valid_to_at)
cross join cities
order by polls.hour_at, history.evse_key
