{{ config(tags=['kpi'], meta={'kpi_ids': ['charge_point_availability', 'charge_point_energy']}) }}

-- Availability: of the hours in which the city asked and the operator said something, how many the point could be
-- used. Energy: what all points delivered in a whole month, of five sessions or more.
with statuses as (

    select
        statuses.*,
        date_trunc('month', statuses.hour_date)::date as month_start_date
    from {{ ref('fct_charge_point_status_hourly') }} as statuses

),

delivered as (

    select * from {{ ref('int_charge_points__energy_shown') }}

),

-- a point that is gone delivered too: where it last stood decides
places as (

    select
        evse_key,
        coalesce(arg_max(is_in_municipality, valid_from_at), true) as is_in_municipality
    from {{ ref('fct_charge_point_history') }}
    group by evse_key

),

crawls as (

    select * from {{ ref('stg_charge_points__crawls') }}
    where sessions_from_date is not null

),

cities as (

    select * from {{ ref('city') }}

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'charge_points'

),

availability as (

    select
        statuses.month_start_date,
        count(*) filter (where statuses.is_operational)::double as numerator,
        count(*)::double as denominator,
        count(*) as n,
        -- one answer a day is a fair sample of a month; n tells how many hours it was
        count(distinct statuses.hour_date)::double as days_known,
        max(statuses.hour_at) as known_at
    from statuses
    inner join places
        on statuses.evse_key = places.evse_key
    where places.is_in_municipality and statuses.status != 'UNKNOWN'
    group by statuses.month_start_date

),

covered_days as (

    select
        days.charge_at::date as charge_date,
        min(crawls.known_at) as known_at
    from crawls
    cross join
        unnest(generate_series(crawls.sessions_from_date, crawls.sessions_to_date, interval 1 day))
            as days (charge_at)
    group by days.charge_at

),

-- sessions may be silent while the locations speak
sessions_complete as (

    select timezone(any_value(cities.time_zone), (max(covered_days.charge_date) + 1)::timestamp) as complete_until
    from covered_days
    cross join cities

),

covered_months as (

    select
        date_trunc('month', charge_date)::date as month_start_date,
        count(*)::double as days_known,
        max(known_at) as known_at
    from covered_days
    group by date_trunc('month', charge_date)

),

measured as (

    select
        'charge_point_availability' as kpi_id,
        '% of hours' as unit,
        availability.month_start_date,
        least(last_day(availability.month_start_date), sources_complete.ref_date) as ref_date,
        100 * availability.numerator / availability.denominator as value,
        availability.n,
        availability.numerator,
        availability.denominator,
        availability.days_known,
        sources_complete.complete_until,
        availability.known_at,
        false as is_suppressed
    from availability
    cross join sources_complete
    union all
    select
        'charge_point_energy' as kpi_id,
        'kWh per month' as unit,
        covered_months.month_start_date,
        last_day(covered_months.month_start_date) as ref_date,
        case when not coalesce(delivered.is_suppressed, false) then coalesce(delivered.energy_kwh, 0) end as value,
        case when not coalesce(delivered.is_suppressed, false) then coalesce(delivered.n, 0) end as n,
        case when not coalesce(delivered.is_suppressed, false) then coalesce(delivered.energy_kwh, 0) end as numerator,
        null::double as denominator,
        covered_months.days_known,
        least(sources_complete.complete_until, sessions_complete.complete_until) as complete_until,
        covered_months.known_at,
        coalesce(delivered.is_suppressed, false) as is_suppressed
    from covered_months
    cross join sources_complete
    cross join sessions_complete
    left join delivered
        on covered_months.month_start_date = delivered.month_start_date
    -- the energy of half a month is not that of a month
    where last_day(covered_months.month_start_date) <= sources_complete.last_whole_date

)

select
    measured.kpi_id,
    'kpi_charge_point_service' as kpi_model,
    cities.area_id,
    measured.month_start_date as period_start,
    last_day(measured.month_start_date) as period_end,
    measured.ref_date,
    measured.value,
    measured.unit,
    measured.n,
    least(
        1.0, measured.days_known / (date_diff('day', measured.month_start_date, measured.ref_date) + 1)
    )::double as completeness,
    measured.complete_until,
    measured.known_at,
    measured.numerator,
    measured.denominator,
    'charging-v1' as calculation_version,
    case when measured.is_suppressed then 'minder dan vijf laadsessies' end as empty_reason_nl
from measured
cross join cities
order by measured.kpi_id, measured.month_start_date
