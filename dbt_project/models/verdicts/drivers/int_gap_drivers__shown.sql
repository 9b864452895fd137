{{ config(materialized="view", schema="intermediate", contract={"enforced": false}, meta={'suppresses': true}) }}

-- Small cells become one group; a group that is still small is left out. Only what pulls a target back drives its gap.
with drivers as (

    {% for family in ['energy', 'tickets', 'charge_points', 'renovation'] %}
    select * from {{ ref('int_gap_drivers__' ~ family) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- the macro names its own CTEs, so it stands alone
decided as (

    {{ suppressed(
        'drivers', total_by=['target_id', 'driver_type'], cell=['driver_key'], count='coalesce(n, 5)', measures=[]
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
        -- one household may stand in several cells of dossiers or measures: no more than the largest are sure to differ
        case when any_value(unit) in ('dossiers', 'maatregelen') then max(n) else sum(n) end::bigint as n,
        -- the median of one cell is its own; that of several cannot be told from theirs
        case when count(*) = 1 then max(median_days) end as median_days
    from decided
    group by all

)

select *
from folded
where contribution > 0 and coalesce(n >= 5, true)
