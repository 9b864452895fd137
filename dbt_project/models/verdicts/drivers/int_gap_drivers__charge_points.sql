{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- What is there or announced and does not count, by reason and operator and once more by sector; the rest has yet to be
-- placed.
with positions as (

    select * from {{ ref('int_target_positions') }}
    where value_kpi_id in ('charge_points_total', 'charge_points_per_100') and gap < 0

),

charge_points as (

    select * from {{ ref('fct_charge_points') }}
    where coalesce(is_in_municipality, true)

),

last_periods as (

    select *
    from {{ ref('fct_charge_point_history') }}
    qualify row_number() over (partition by evse_key order by valid_from_at desc) = 1

),

stock as (

    select
        sum(cpe) as cpe,
        count(*) as charge_points_count
    from charge_points

),

weighed_less as (

    select
        'per_100' as counts_for,
        case
            when power_source is null then 'Vermogen onbekend'
            when access_class in ('private', 'motorway') then 'Niet voor het publiek'
            when access_class = 'closed_group' then 'Alleen voor een vaste groep'
            when access_class like 'unknown%' then 'Openingsuren onbekend'
            else 'Niet altijd open'
        end as reason_nl,
        operator_name,
        sector_area_id as sector_id,
        case when power_source is null then 1 else cpe_weight end - cpe as equivalents
    from charge_points
    where access_factor < 1 or power_source is null

),

absent as (

    select
        unnest(['per_100', 'total']) as counts_for,
        case
            when status = 'PLANNED' then 'Gepland'
            when status = 'REMOVED' then 'Weggenomen'
            else 'Niet meer gemeld door de uitbater'
        end as reason_nl,
        operator_name,
        sector_area_id as sector_id,
        -- nobody knows what it will or would weigh: the lightest
        1 as equivalents
    from last_periods
    where coalesce(is_in_municipality, true) and (not is_in_stock or valid_to_at is not null)

),

not_counted as (

    select * from weighed_less
    union all
    select * from absent

),

per_operator as (

    select
        positions.target_id,
        positions.value_kpi_id,
        positions.value,
        not_counted.reason_nl,
        not_counted.operator_name,
        sum(not_counted.equivalents) as equivalents,
        count(*) as n
    from positions
    inner join not_counted
        on positions.value_kpi_id = 'charge_points_' || not_counted.counts_for
    where not_counted.equivalents > 0
    group by all

),

-- an operator with fewer than five is told by the reason alone
cells as (

    select
        target_id,
        value_kpi_id,
        value,
        reason_nl || case when n >= 5 then coalesce(': ' || operator_name, '') else '' end as label_nl,
        sum(equivalents) as equivalents,
        sum(n) as n
    from per_operator
    group by all

),

measured as (

    select
        cells.target_id,
        cells.label_nl,
        case
            when cells.value_kpi_id = 'charge_points_total' then cells.n
            else cells.equivalents * cells.value / nullif(stock.cpe, 0)
        end as contribution,
        cells.n
    from cells
    cross join stock

),

by_sector as (

    select
        positions.target_id,
        positions.unit,
        not_counted.sector_id,
        case
            when positions.value_kpi_id = 'charge_points_total' then count(*)
            else sum(not_counted.equivalents) * any_value(positions.value) / nullif(any_value(stock.cpe), 0)
        end as contribution,
        count(*) as n
    from positions
    inner join not_counted
        on positions.value_kpi_id = 'charge_points_' || not_counted.counts_for
    cross join stock
    where not_counted.equivalents > 0 and not_counted.sector_id is not null
    group by positions.target_id, positions.value_kpi_id, positions.unit, not_counted.sector_id

),

-- a reason of fewer than five is none of its own
explained as (

    select
        positions.target_id,
        positions.unit,
        -positions.gap - coalesce(sum(measured.contribution) filter (where measured.n >= 5), 0) as remainder
    from positions
    left join measured
        on positions.target_id = measured.target_id
    group by positions.target_id, positions.unit, positions.gap

)

select
    measured.target_id,
    'category' as driver_type,
    measured.label_nl as driver_key,
    measured.label_nl,
    null::varchar as coarser_key,
    null::varchar as coarser_label_nl,
    measured.contribution::double as contribution,
    positions.unit,
    measured.n::bigint as n,
    null::double as median_days
from measured
inner join positions
    on measured.target_id = positions.target_id
where measured.n >= 5
union all
select
    target_id,
    'category' as driver_type,
    'not_placed' as driver_key,
    'Nog niet geplaatst' as label_nl,
    null::varchar as coarser_key,
    null::varchar as coarser_label_nl,
    remainder::double as contribution,
    unit,
    null::bigint as n,
    null::double as median_days
from explained
where remainder > 0
union all
select
    by_sector.target_id,
    'sector' as driver_type,
    by_sector.sector_id as driver_key,
    coalesce(areas.name_nl, by_sector.sector_id) || ' (telt niet of maar half mee)' as label_nl,
    areas.parent_area_id as coarser_key,
    'Andere buurten van ' || districts.name_nl || ' (telt niet of maar half mee)' as coarser_label_nl,
    by_sector.contribution::double as contribution,
    by_sector.unit,
    by_sector.n::bigint as n,
    null::double as median_days
from by_sector
left join {{ ref('dim_area') }} as areas
    on by_sector.sector_id = areas.area_id
left join {{ ref('dim_area') }} as districts
    on areas.parent_area_id = districts.area_id
