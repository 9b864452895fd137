-- What may be shown by itself: the access points of buildings in which nobody lives.
select
    site_id,
    ean,
    carrier,
    valid_from_date,
    valid_to_date
from {{ ref('int_buildings__connections_current') }}
where ean != '' and not is_dwelling
