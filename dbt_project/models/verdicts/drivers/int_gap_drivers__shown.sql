{{ config(materialized="view", schema="intermediate", contract={"enforced": false}, meta={'suppresses': true}) }}

-- A small cell leads to the next coarser grain: a sector to its district, a step to all steps. What is still small is
-- one rest, and a rest that stands alone says nothing. Only what pulls a target back drives its gap.
with drivers as (

    {% for family in ['energy', 'tickets', 'charge_points', 'renovation'] %}
    select * from {{ ref('int_gap_drivers__' ~ family) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- the macro names its own CTEs, so it stands alone
fine as (

    {{ suppressed(
        'drivers', total_by=['target_id', 'driver_type'], cell=['driver_key'], count='coalesce(n, 5)', measures=[]
    ) }}

),

coarser as (

    select
        target_id,
        driver_type,
        case when is_suppressed then coalesce(coarser_key, 'overige') else driver_key end as driver_key,
        case when is_suppressed then coalesce(coarser_label_nl, 'Overige') else label_nl end as label_nl,
        unit,
        {{ exact_sum('contribution') }} as contribution,
        {{ driver_count() }} as n,
        -- the median of one cell is its own; that of several cannot be told from theirs
        case when count(*) = 1 then max(median_days) end as median_days
    from fine
    group by all

),

coarse as (

    {{ suppressed(
        'coarser', total_by=['target_id', 'driver_type'], cell=['driver_key'], count='coalesce(n, 5)', measures=[]
    ) }}

),

folded as (

    select
        target_id,
        driver_type,
        case when is_suppressed then 'overige' else driver_key end as driver_key,
        case when is_suppressed then 'Overige' else label_nl end as label_nl,
        unit,
        {{ exact_sum('contribution') }} as contribution,
        {{ driver_count() }} as n,
        case when count(*) = 1 then max(median_days) end as median_days
    from coarse
    group by all

)

select *
from folded
where contribution > 0 and coalesce(n >= 5, true)
qualify bool_or(driver_key != 'overige') over (partition by target_id, driver_type, unit)
