{{ config(meta={'suppresses': true}) }}

-- What all points delivered in a month. Behind fewer than five sessions stand fewer than five drivers, and their energy
-- is how far they drive.
with sessions as (

    select * from {{ ref('int_charge_points__sessions_current') }}

),

-- a point that is gone delivered too: where it last stood decides
places as (

    select
        evse_key,
        coalesce(arg_max(is_in_municipality, valid_from_at), true) as is_in_municipality
    from {{ ref('fct_charge_point_history') }}
    group by evse_key

),

delivered as (

    select
        date_trunc('month', sessions.charge_date)::date as month_start_date,
        {{ exact_sum('sessions.energy_kwh') }} as energy_kwh,
        count(distinct sessions.evse_key) as n,
        -- energy without a session is of one that began before
        greatest(sum(sessions.session_count), 1) as sessions
    from sessions
    inner join places
        on sessions.evse_key = places.evse_key
    where places.is_in_municipality
    group by date_trunc('month', sessions.charge_date)

),

shown as (

    {{ emptied_below_five('delivered', count='sessions', measures=['energy_kwh', 'n']) }}

)

select * exclude (sessions)
from shown
