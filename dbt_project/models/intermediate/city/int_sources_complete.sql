-- A pull that brought nothing moves the status only; a rebuilt warehouse may know the batches only.
with cities as (

    select * from {{ ref('city') }}

),

spoken as (

    select
        source_name,
        complete_until,
        last_asked_at
    from {{ ref('stg_pipeline__source_status') }}
    union all
    select
        source_name,
        complete_until,
        null as last_asked_at
    from {{ ref('stg_pipeline__batches') }}

),

latest as (

    select
        source_name,
        max(complete_until) as complete_until,
        max(last_asked_at) as last_asked_at
    from spoken
    group by source_name

)

select
    latest.source_name,
    latest.complete_until,
    latest.last_asked_at,
    timezone(cities.time_zone, latest.complete_until - interval 1 microsecond)::date as ref_date,
    timezone(cities.time_zone, latest.complete_until)::date - 1 as last_whole_date
from latest
cross join cities
