-- The access points that energy may be shown of. Its meters stand in dim_meter, its building beside each day in the
-- facts: an access point may move from one to another.
with register as (

    select * from {{ ref('int_buildings__meters') }}

)

select
    ean,
    carrier,
    min(valid_from_date) over (partition by ean) as valid_from_date,
    valid_to_date
from register
qualify
    row_number() over (
        partition by ean
        order by valid_to_date desc nulls first, valid_from_date desc, site_id asc
    ) = 1
order by ean
