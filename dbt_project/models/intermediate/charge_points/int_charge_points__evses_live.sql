-- Two platforms may publish one EVSE: the record changed last speaks for it, also when it says the EVSE is gone.
-- A record that the last full crawl did not name is in doubt: it does not count, and its history closes only when the
-- next full crawl misses it too.
with named as (

    select
        evses.*,
        evse_records.first_seen_at
    from {{ ref('int_charge_points__evses_current') }} as evses
    left join {{ ref('int_charge_points__evse_records') }} as evse_records
        on
            evses.country_code = evse_records.country_code
            and evses.party_id = evse_records.party_id
            and evses.location_id = evse_records.location_id
            and evses.evse_uid = evse_records.evse_uid
    where coalesce(evse_records.missed_crawls, 0) = 0

),

last_records as (

    select *
    from named
    qualify row_number() over (
        partition by evse_key
        order by last_updated_at desc, country_code asc, party_id asc, location_id asc, evse_uid asc
    ) = 1

)

select *
from last_records
where status not in ('REMOVED', 'PLANNED')
