-- The stock of every month's end: one question to the history, weighed with the weights of that day. A charge point
-- stands there from the day the city first saw it, however long ago its operator says it last changed.
with months as (

    select * from {{ ref('int_charge_points__months_crawled') }}

),

history as (

    select * from {{ ref('fct_charge_point_history') }}
    -- without boundaries nobody knows what lies outside, and the whole feed counts
    where is_in_stock and coalesce(is_in_municipality, true)

),

first_seen as (

    select
        evse_key,
        min(present_from_at) as first_seen_at
    from {{ ref('int_charge_points__evse_presence') }}
    group by evse_key

),

weights as (

    select
        months.month_end,
        cpe_weights.kw_min_incl,
        cpe_weights.kw_max_excl,
        cpe_weights.weight
    from months
    inner join {{ ref('cpe_weights') }} as cpe_weights
        on
            cpe_weights.method = 'cpt2022'
            and months.month_end >= cpe_weights.valid_from
    qualify cpe_weights.valid_from = max(cpe_weights.valid_from) over (partition by months.month_end)

),

factors as (

    select * from {{ ref('cpe_access_factors') }}
    where method = 'cpt2022'

)

select
    months.month_end,
    count(*) as charge_points_count,
    sum(factors.factor * weights.weight) as cpe
from months
inner join history
    on
        months.measured_at > history.valid_from_at
        and (history.valid_to_at is null or months.measured_at <= history.valid_to_at)
        and (history.missing_since_at is null or months.measured_at <= history.missing_since_at)
inner join first_seen
    on
        history.evse_key = first_seen.evse_key
        and months.measured_at > first_seen.first_seen_at
inner join weights
    on
        months.month_end = weights.month_end
        and history.power_kw >= weights.kw_min_incl
        and history.power_kw < coalesce(weights.kw_max_excl, 'infinity'::double)
inner join factors
    on history.access_class = factors.access_class
group by months.month_end
