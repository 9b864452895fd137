-- How many full crawls no longer name a record, and since when.
with seen as (

    select
        country_code,
        party_id,
        location_id,
        evse_uid,
        min(supplied_at) as first_seen_at,
        max(supplied_at) as last_seen_at
    from {{ ref('int_charge_points__sightings') }}
    group by country_code, party_id, location_id, evse_uid

),

full_crawls as (

    select supplied_at
    from {{ ref('int_charge_points__deliveries') }}
    where is_full

)

select
    seen.country_code,
    seen.party_id,
    seen.location_id,
    seen.evse_uid,
    seen.first_seen_at,
    seen.last_seen_at,
    count(full_crawls.supplied_at) as missed_crawls,
    min(full_crawls.supplied_at) as missing_since_at
from seen
left join full_crawls on seen.last_seen_at < full_crawls.supplied_at
group by all
