{{
    config(
        tags=['kpi'],
        meta={'kpi_ids': ['charge_point_equivalents', 'charge_points_total', 'charge_points_per_100']}
    )
}}

with charge_points as (

    -- without boundaries nobody knows what lies outside, and the whole feed counts
    select * from {{ ref('fct_charge_points') }}
    where coalesce(is_in_municipality, true)

),

sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'charge_points'

),

last_crawl as (

    select * from {{ ref('int_charge_points__crawl_completeness') }}
    order by supplied_at desc, content_sha256 desc
    limit 1

),

denominators as (

    select denominators.*
    from {{ ref('denominators') }} as denominators
    inner join {{ ref('targets') }} as targets
        on denominators.denominator_id = targets.denominator_id
    where targets.target_id = 'charge_points_per_100'

),

months as (

    select * from {{ ref('int_charge_points__months_crawled') }}

),

month_stock as (

    select
        month_end_date,
        sum(cpe) as cpe,
        sum(charge_points_count)::bigint as charge_points_count
    from {{ ref('fct_charge_point_stock_monthly') }}
    group by month_end_date

),

cities as (

    select * from {{ ref('city') }}

),

-- every month's end as the history knows it, and what stands there now
stock as (

    select
        cities.area_id,
        months.month_end as ref_date,
        sources_complete.complete_until,
        coalesce(month_stock.cpe, 0) as cpe,
        coalesce(month_stock.charge_points_count, 0) as charge_points_count,
        months.completeness,
        months.known_at
    from months
    cross join cities
    cross join sources_complete
    left join month_stock
        on months.month_end = month_stock.month_end_date
    union all
    select
        charge_points.area_id,
        sources_complete.ref_date,
        sources_complete.complete_until,
        sum(charge_points.cpe) as cpe,
        count(*) as charge_points_count,
        -- a crawl that misses a page is refused, but single rows of it may be too
        coalesce(any_value(last_crawl.completeness), 1.0) as completeness,
        max(charge_points.known_at) as known_at
    from charge_points
    cross join sources_complete
    left join last_crawl
        on true
    group by charge_points.area_id, sources_complete.ref_date, sources_complete.complete_until

),

measured as (

    select
        *,
        'charge_point_equivalents' as kpi_id,
        cpe as value,
        'charge-point equivalents' as unit,
        cpe as numerator,
        null::double as denominator
    from stock
    union all
    select
        *,
        'charge_points_total' as kpi_id,
        charge_points_count::double as value,
        'charge points' as unit,
        charge_points_count::double as numerator,
        null::double as denominator
    from stock
    union all
    select
        stock.*,
        'charge_points_per_100' as kpi_id,
        stock.cpe * 100 / denominators.value as value,
        'equivalents per 100 inhabitants' as unit,
        stock.cpe as numerator,
        denominators.value as denominator
    from stock
    inner join denominators
        on
            stock.ref_date >= denominators.valid_from
            and (denominators.valid_to is null or stock.ref_date <= denominators.valid_to)

)

select
    measured.kpi_id,
    'kpi_charge_point_equivalents' as kpi_model,
    measured.area_id,
    measured.ref_date as period_start,
    measured.ref_date as period_end,
    measured.ref_date,
    measured.value,
    measured.unit,
    measured.charge_points_count as n,
    measured.completeness,
    measured.complete_until,
    measured.known_at,
    measured.numerator,
    measured.denominator,
    'cpt2022' as calculation_version,
    null::varchar as empty_reason_nl
from measured
order by measured.kpi_id, measured.area_id, measured.ref_date
