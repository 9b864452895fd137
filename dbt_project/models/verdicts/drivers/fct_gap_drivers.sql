-- Why a target is where it is: of each kind the ten that pull it back most, and the rest. What does better than asked
-- is not set against them. Sectors and themes tell of the same questions twice, and kilowatt-hours are no kilograms of
-- CO2: a share is that of the drivers of one kind in one unit, and adds to one.
with drivers as (

    select * from {{ ref('int_gap_drivers__shown') }}

),

positions as (

    select * from {{ ref('int_target_positions') }}

),

shared as (

    select
        *,
        round(
            contribution
            / (sum(contribution::decimal(38, 9)) over (partition by target_id, driver_type, unit))::double, 6
        ) as share
    from drivers

),

ranked as (

    select
        *,
        driver_key = 'overige'
        or row_number() over (
            partition by target_id, driver_type, unit
            order by (driver_key = 'overige') asc, share desc, contribution desc, driver_key asc
        ) > 10 as is_rest
    from shared

),

whole as (

    select
        target_id,
        driver_type,
        case when is_rest then 'overige' else driver_key end as driver_key,
        case when is_rest then 'Overige' else label_nl end as label_nl,
        unit,
        {{ exact_sum('contribution') }} as contribution,
        round({{ exact_sum('share') }}, 6) as share,
        {{ driver_count() }} as n,
        case when count(*) = 1 then max(median_days) end as median_days
    from ranked
    group by all

),

numbered as (

    select
        *,
        row_number() over (
            partition by target_id
            order by (driver_key = 'overige') asc, share desc, contribution desc, driver_type asc, driver_key asc
        ) as rank_no
    from whole

)

select
    numbered.target_id,
    numbered.rank_no,
    numbered.driver_type,
    numbered.driver_key,
    numbered.label_nl,
    numbered.contribution,
    numbered.unit,
    numbered.share,
    numbered.n,
    numbered.median_days,
    case when positions.gap is null then 'previous_year' else 'path' end as compared_with,
    positions.gap,
    positions.ref_date,
    positions.ref_date as date_key,
    positions.known_at
from numbered
inner join positions
    on numbered.target_id = positions.target_id
where positions.other_reading_of is null
order by numbered.target_id, numbered.rank_no
