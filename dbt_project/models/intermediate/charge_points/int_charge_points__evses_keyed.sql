-- One charge point has one identifier, however a platform writes it (eMI3: separators and case mean nothing).
-- What has not that shape ("1", "n/a") names nothing: there the number of the platform counts. By the specification
-- that stays the same when a charge point moves to another location (OCPI 2.2.1, 8.3.2, `uid`); a party that gives one
-- number at two locations in one answer numbers within a location.
-- A word of a list means the same in any case too, and what changes after it was sent would outdate every true change
-- until then. Since version 3 of the contract both are done before landing: here, for batches from before it.
with stripped as (

    select
        *,
        regexp_replace(upper(evse_id), '[*\- ]', '', 'g') as stripped_id
    from {{ ref('stg_charge_points__evses') }}

),

repeated as (

    select
        country_code,
        party_id
    from stripped
    group by country_code, party_id, evse_uid, supplied_at, content_sha256
    having count(distinct location_id) > 1

),

local_parties as (

    select distinct
        country_code,
        party_id
    from repeated

),

keyed as (

    select
        stripped.*,
        case
            when regexp_full_match(stripped.stripped_id, '[A-Z]{2}[A-Z0-9]{3}E[A-Z0-9]{1,30}') then stripped.stripped_id
            when local_parties.party_id is null
                then upper(concat_ws('/', stripped.country_code, stripped.party_id, stripped.evse_uid))
            else
                upper(
                    concat_ws('/', stripped.country_code, stripped.party_id, stripped.location_id, stripped.evse_uid)
                )
        end as evse_key
    from stripped
    left join local_parties
        on
            stripped.country_code = local_parties.country_code
            and stripped.party_id = local_parties.party_id

)

select
    * exclude (stripped_id) replace (
        upper(parking_restrictions) as parking_restrictions,
        least(last_updated_at, supplied_at) as last_updated_at
    )
from keyed
