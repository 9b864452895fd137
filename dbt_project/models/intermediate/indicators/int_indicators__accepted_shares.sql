-- Of each indicator the share of its rows that was accepted, at the deliverer where it is smallest. A row of which the
-- indicator cannot be read counts against every indicator of whoever sent it; what another sent is no affair of it.
with sources_complete as (

    select complete_until from {{ ref('int_sources_complete') }}
    where source_name = 'indicators'

),

batches as (

    select
        stg_batches.batch_id,
        {{ supplier_of('stg_batches.origin') }} as supplier
    from {{ ref('stg_pipeline__batches') }} as stg_batches
    inner join sources_complete
        on stg_batches.supplied_at >= sources_complete.complete_until - interval 35 day
    where stg_batches.source_name = 'indicators'

),

observations as (

    select * from {{ ref('stg_indicators__observations') }}

),

targets as (

    select * from {{ ref('targets') }}

),

known as (

    select kpi_id from observations
    union
    select kpi_id from targets

),

accepted as (

    select
        batches.supplier,
        observations.kpi_id,
        count(*) as row_count
    from observations
    inner join batches
        on observations.batch_id = batches.batch_id
    group by batches.supplier, observations.kpi_id

),

refused as (

    select
        batches.supplier,
        known.kpi_id,
        sum(refusals.refused) as row_count
    from {{ ref('stg_pipeline__refused_kpis') }} as refusals
    inner join batches
        on refusals.batch_id = batches.batch_id
    left join known
        on refusals.kpi_id = known.kpi_id
    group by batches.supplier, known.kpi_id

),

delivered as (

    select
        supplier,
        kpi_id
    from accepted
    union
    select
        supplier,
        kpi_id
    from refused
    where kpi_id is not null

),

shares as (

    select
        delivered.kpi_id,
        coalesce(accepted.row_count, 0)
        / (coalesce(accepted.row_count, 0) + coalesce(refused.row_count, 0) + coalesce(unread.row_count, 0))
            as accepted_share
    from delivered
    left join accepted
        on
            delivered.supplier = accepted.supplier
            and delivered.kpi_id = accepted.kpi_id
    left join refused
        on
            delivered.supplier = refused.supplier
            and delivered.kpi_id = refused.kpi_id
    left join refused as unread
        on
            delivered.supplier = unread.supplier
            and unread.kpi_id is null

)

select
    kpi_id,
    min(accepted_share) as accepted_share
from shares
group by kpi_id
