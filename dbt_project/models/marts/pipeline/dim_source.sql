with sources_complete as (

    select * from {{ ref('int_sources_complete') }}

),

batches as (

    select * from {{ ref('fct_batches') }}

)

select
    sources_complete.source_name,
    sources_complete.complete_until,
    sources_complete.last_asked_at,
    coalesce(sum(batches.received), 0)::bigint as received,
    coalesce(sum(batches.accepted), 0)::bigint as accepted,
    coalesce(sum(batches.quarantined), 0)::bigint as quarantined,
    coalesce(sum(batches.duplicate), 0)::bigint as duplicate,
    coalesce(sum(batches.superseded), 0)::bigint as superseded,
    -- a duplicate or superseded row was right too; only a refused one was not
    1 - sum(batches.quarantined)::double / nullif(sum(batches.received), 0) as accepted_share
from sources_complete
left join batches
    on
        sources_complete.source_name = batches.source_name
        and batches.supplied_at >= sources_complete.complete_until - interval 35 day
group by sources_complete.source_name, sources_complete.complete_until, sources_complete.last_asked_at
order by sources_complete.source_name
