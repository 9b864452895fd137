-- What runs when nobody is there: the middle of the nights (one to four hours after midnight) and of the weekend days.
-- Per access point first, so that one that came later is not a change of the others.
with days as (

    select
        *,
        date_trunc('month', reading_date)::date as month_start_date,
        night_kwh / night_hours as night_kw,
        energy_kwh / (intervals_measured / case granularity when 'PT15M' then 4 else 1 end) as day_kw,
        isodow(reading_date) >= 6 as is_weekend
    from {{ ref('fct_energy_daily') }}
    where
        direction = 'offtake'
        and granularity in ('PT15M', 'PT1H')
        -- half a night is not a night
        and night_hours >= 2
        and completeness >= 0.95

),

access_points as (

    select
        site_id,
        carrier,
        month_start_date,
        ean,
        count(*) as days_measured,
        median(night_kw) as night_kw,
        median(day_kw) filter (where is_weekend) as weekend_kw,
        {{ exact_sum('day_kw') }} / count(*) as mean_kw,
        max(known_at) as known_at
    from days
    group by site_id, carrier, month_start_date, ean

),

sites as (

    select
        site_id,
        carrier,
        month_start_date,
        count(*) as access_points,
        sum(days_measured)::double / (count(*) * day(last_day(month_start_date))) as completeness,
        {{ exact_sum('night_kw') }} as night_kw,
        -- of an access point without a whole weekend day the site knows no weekend
        case when count(weekend_kw) = count(*) then {{ exact_sum('weekend_kw') }} end as weekend_kw,
        {{ exact_sum('mean_kw') }} as mean_kw,
        max(known_at) as known_at
    from access_points
    group by site_id, carrier, month_start_date

)

select
    site_id,
    carrier,
    month_start_date,
    month_start_date as date_key,
    access_points,
    completeness,
    night_kw,
    weekend_kw,
    mean_kw,
    night_kw / nullif(mean_kw, 0) as night_ratio,
    known_at
from sites
order by month_start_date, site_id, carrier
