-- Why a target is where it is: the ten that pull it back most. What does better than asked is not set against them.
with drivers as (

    select * from {{ ref('int_gap_drivers__shown') }}

),

positions as (

    select * from {{ ref('int_target_positions') }}

),

ranked as (

    select
        *,
        (sum(contribution::decimal(38, 9)) over (partition by target_id))::double as contribution_in_all,
        row_number() over (
            partition by target_id
            order by (driver_key = 'overige') asc, contribution desc, driver_type asc, driver_key asc
        ) as rank_no
    from drivers

)

select
    ranked.target_id,
    ranked.rank_no,
    ranked.driver_type,
    ranked.driver_key,
    ranked.label_nl,
    ranked.contribution,
    ranked.unit,
    round(ranked.contribution / ranked.contribution_in_all, 6) as share,
    ranked.n,
    ranked.median_days,
    case when positions.gap is null then 'previous_year' else 'path' end as compared_with,
    positions.gap,
    positions.ref_date,
    positions.known_at
from ranked
inner join positions
    on ranked.target_id = positions.target_id
where ranked.rank_no <= 10
order by ranked.target_id, ranked.rank_no
