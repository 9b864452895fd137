-- One charge point has one identifier, however a platform writes it (eMI3: separators and case mean nothing).
-- What has not that shape ("1", "n/a") names nothing: it would make one charge point of many.
-- A word of a list means the same in any case too, and what changes after it was sent would outdate every true change
-- until then. Since version 3 of the contract both are done before landing: here, for batches from before it.
with stripped as (

    select
        *,
        regexp_replace(upper(evse_id), '[*\- ]', '', 'g') as stripped_id
    from {{ ref('stg_charge_points__evses') }}

)

select
    * exclude (stripped_id) replace (
        upper(parking_restrictions) as parking_restrictions,
        least(last_updated_at, supplied_at) as last_updated_at
    ),
    case
        when regexp_full_match(stripped_id, '[A-Z]{2}[A-Z0-9]{3}E[A-Z0-9]{1,30}') then stripped_id
        else upper(concat_ws('/', country_code, party_id, location_id, evse_uid))
    end as evse_key
from stripped
