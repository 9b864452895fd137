-- The stock of every month's end in which somebody looked: one question to the history, weighed with the weights of
-- that day. Before the city's first pull there is none: an operator's stamps tell when something changed last, not
-- since when it stands there.
with months as (

    select * from {{ ref('int_charge_points__months_crawled') }}

),

history as (

    select * from {{ ref('fct_charge_point_history') }}
    -- without boundaries nobody knows what lies outside, and the whole feed counts
    where is_in_stock and coalesce(is_in_municipality, true)

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

),

cities as (

    select * from {{ ref('city') }}

)

select
    months.month_end as month_end_date,
    months.month_end as date_key,
    cities.area_id,
    history.sector_area_id,
    history.country_code,
    history.party_id,
    max(history.operator_name) as operator_name,
    count(*) as charge_points_count,
    sum(factors.factor * weights.weight) as cpe,
    months.completeness,
    months.known_at
from months
inner join history
    on
        months.measured_at > history.valid_from_at
        and (history.valid_to_at is null or months.measured_at <= history.valid_to_at)
inner join weights
    on
        months.month_end = weights.month_end
        and history.power_kw >= weights.kw_min_incl
        and history.power_kw < coalesce(weights.kw_max_excl, 'infinity'::double)
inner join factors
    on history.access_class = factors.access_class
cross join cities
group by
    months.month_end, cities.area_id, history.sector_area_id, history.country_code, history.party_id,
    months.completeness, months.known_at
order by months.month_end, history.country_code, history.party_id, history.sector_area_id
