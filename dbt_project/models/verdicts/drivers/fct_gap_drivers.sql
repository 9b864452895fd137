-- Why a target is where it is: the ten that pull it back most. What does better than asked is not set against them.
-- Sectors and themes tell of the same questions twice, and kilowatt-hours are no kilograms of CO2: a share is that of
-- the drivers of one kind in one unit.
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
        row_number() over (
            partition by target_id
            order by
                (driver_key = 'overige') asc, share desc, contribution desc, driver_type asc, driver_key asc
        ) as rank_no
    from shared

)

select
    ranked.target_id,
    ranked.rank_no,
    ranked.driver_type,
    ranked.driver_key,
    ranked.label_nl,
    ranked.contribution,
    ranked.unit,
    ranked.share,
    ranked.n,
    ranked.median_days,
    case when positions.gap is null then 'previous_year' else 'path' end as compared_with,
    positions.gap,
    positions.ref_date,
    positions.known_at
from ranked
inner join positions
    on ranked.target_id = positions.target_id
where ranked.rank_no <= 10 and positions.other_reading_of is null
order by ranked.target_id, ranked.rank_no
