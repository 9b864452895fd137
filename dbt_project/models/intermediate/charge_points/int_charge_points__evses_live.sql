-- Two platforms may publish one EVSE: the record changed last speaks for it.
select
    *,
    coalesce(
        regexp_replace(upper(evse_id), '[*\- ]', '', 'g'), upper(location_id || evse_uid)
    ) as evse_key
from {{ ref('int_charge_points__evses_current') }}
where status not in ('REMOVED', 'PLANNED')
qualify row_number() over (
    partition by evse_key
    order by last_updated_at desc, country_code asc, party_id asc, location_id asc, evse_uid asc
) = 1
