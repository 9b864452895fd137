-- Weekly files that hold a table without a row: they say that there is none, which rows alone cannot say. A file
-- without the table says nothing of it, and neither does one of which every row was refused.
with batches as (

    select * from {{ ref('stg_pipeline__batches') }}
    where source_name = 'renovation_coach'

),

batch_counts as (

    select * from {{ ref('stg_pipeline__batch_counts') }}
    where is_full is not null and accepted = 0 and quarantined = 0

)

select
    batch_counts.table_name,
    regexp_extract(lower(batches.origin), '^renovatie_\d{4}-w\d{2}_([a-z]+)', 1) as team,
    upper(regexp_extract(lower(batches.origin), '^renovatie_(\d{4}-w\d{2})_', 1)) as delivery_week,
    batches.supplied_at,
    batches.content_sha256,
    batch_counts.is_full
from batches
inner join batch_counts
    on batches.batch_id = batch_counts.batch_id
