-- A delivery is the whole stock: what the newest one does not name is gone.
with newest as (

    select * from {{ ref('int_charge_points__newest_delivery') }}

)

select rows_delivered.*
from {{ ref('stg_charge_points__connectors') }} as rows_delivered
inner join newest
    on
        rows_delivered.supplied_at = newest.supplied_at
        and rows_delivered.content_sha256 = newest.content_sha256
