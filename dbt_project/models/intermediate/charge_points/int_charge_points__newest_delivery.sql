with deliveries as (

    select distinct
        supplied_at,
        content_sha256
    from {{ ref('stg_charge_points__locations') }}
    union
    select distinct
        supplied_at,
        content_sha256
    from {{ ref('stg_charge_points__evses') }}
    union
    select distinct
        supplied_at,
        content_sha256
    from {{ ref('stg_charge_points__connectors') }}

)

select
    supplied_at,
    content_sha256
from deliveries
order by supplied_at desc, content_sha256 desc
limit 1
