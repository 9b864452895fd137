{{ config(tags=['data']) }}

select
    one.ean,
    one.site_id,
    other.site_id as other_site_id
from {{ ref('int_buildings__meters') }} as one
inner join {{ ref('int_buildings__meters') }} as other
    on
        one.ean = other.ean
        and (one.site_id, one.valid_from_date) < (other.site_id, other.valid_from_date)
        and one.valid_from_date <= coalesce(other.valid_to_date, date '9999-12-31')
        and other.valid_from_date <= coalesce(one.valid_to_date, date '9999-12-31')
