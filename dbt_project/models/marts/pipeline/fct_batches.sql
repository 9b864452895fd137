with counts as (

    select * from {{ ref('stg_pipeline__batch_counts') }}

),

batches as (

    select * from {{ ref('stg_pipeline__batches') }}

),

cities as (

    select * from {{ ref('city') }}

)

select
    counts.batch_id,
    counts.table_name,
    counts.source_name,
    batches.origin,
    batches.supplied_at,
    timezone(cities.time_zone, batches.supplied_at)::date as date_key,
    batches.known_at,
    batches.complete_until,
    counts.received,
    counts.accepted,
    counts.quarantined,
    counts.duplicate,
    counts.superseded
from counts
cross join cities
left join batches
    on counts.batch_id = batches.batch_id
order by counts.source_name, batches.supplied_at, counts.batch_id, counts.table_name
