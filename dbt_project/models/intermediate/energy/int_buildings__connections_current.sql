-- One file is the whole register: what the newest does not name is gone.
with connections as (

    select * from {{ ref('stg_buildings__connections') }}

),

newest as (

    select
        supplied_at,
        content_sha256
    from connections
    order by supplied_at desc, content_sha256 desc
    limit 1

)

select connections.*
from connections
inner join newest
    on
        connections.supplied_at = newest.supplied_at
        and connections.content_sha256 = newest.content_sha256
