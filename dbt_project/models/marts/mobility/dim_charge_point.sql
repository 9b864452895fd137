-- Every charge point that was ever named, also one that is gone: what happened to it joins to what it was last.
with history as (

    select * from {{ ref('fct_charge_point_history') }}

)

select
    evse_key,
    country_code,
    party_id,
    operator_name,
    location_id,
    evse_uid,
    sector_area_id,
    access_class,
    power_kw,
    min(date_key) over (partition by evse_key) as first_seen_date,
    valid_to_at is null and is_in_stock as is_present
from history
qualify row_number() over (partition by evse_key order by valid_from_at desc) = 1
order by evse_key
