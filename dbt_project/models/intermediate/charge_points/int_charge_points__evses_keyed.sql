-- One charge point has one identifier, however a platform writes it (eMI3: separators and case mean nothing).
select
    *,
    coalesce(
        regexp_replace(upper(evse_id), '[*\- ]', '', 'g'),
        upper(concat_ws('/', country_code, party_id, location_id, evse_uid))
    ) as evse_key
from {{ ref('stg_charge_points__evses') }}
