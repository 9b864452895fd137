-- The stock of this moment: what stands in the history and is not over. A record that the last full crawl did not name
-- is in doubt and does not count.
with periods as (

    select * from {{ ref('int_charge_points__evse_periods') }}
    where valid_to_at is null and status not in ('REMOVED', 'PLANNED')

),

first_seen as (

    select
        evse_key,
        min(valid_from_at) as first_seen_at
    from {{ ref('int_charge_points__evse_periods') }}
    group by evse_key

)

select
    evses.*,
    first_seen.first_seen_at
from {{ ref('int_charge_points__evses_current') }} as evses
inner join periods
    on
        evses.evse_key = periods.evse_key
        and evses.country_code = periods.country_code
        and evses.party_id = periods.party_id
        and evses.location_id = periods.location_id
        and evses.evse_uid = periods.evse_uid
inner join first_seen
    on evses.evse_key = first_seen.evse_key
