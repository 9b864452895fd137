-- Two platforms may publish one EVSE: the record changed last speaks for it, also when it says the EVSE is gone.
with keyed as (

    select
        *,
        coalesce(
            regexp_replace(upper(evse_id), '[*\- ]', '', 'g'),
            upper(concat_ws('/', country_code, party_id, location_id, evse_uid))
        ) as evse_key
    from {{ ref('int_charge_points__evses_current') }}

),

last_records as (

    select *
    from keyed
    qualify row_number() over (
        partition by evse_key
        order by last_updated_at desc, country_code asc, party_id asc, location_id asc, evse_uid asc
    ) = 1

)

select *
from last_records
where status not in ('REMOVED', 'PLANNED')
