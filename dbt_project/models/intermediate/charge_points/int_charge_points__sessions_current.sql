-- A pull of sessions holds whole city dates, so the last pull that covers a date is all there is to say of it: a late
-- CDR changes its date and a credit note empties it. Of one EVSE and date a CDR, which is final, goes before a session.
with covered as (

    select
        unnest(generate_series(sessions_from_date, sessions_to_date, interval 1 day))::date as charge_date,
        supplied_at,
        content_sha256
    from {{ ref('stg_charge_points__crawls') }}
    where sessions_from_date is not null

),

last_pulls as (

    select *
    from covered
    qualify row_number() over (partition by charge_date order by supplied_at desc, content_sha256 desc) = 1

),

last_sessions as (

    select sessions.*
    from {{ ref('stg_charge_points__charge_sessions_hourly') }} as sessions
    inner join last_pulls
        on
            sessions.charge_date = last_pulls.charge_date
            and sessions.supplied_at = last_pulls.supplied_at
            and sessions.content_sha256 = last_pulls.content_sha256

),

final_sessions as (

    select *
    from last_sessions
    qualify module = min(module) over (
        partition by country_code, party_id, location_id, evse_uid, charge_date
    )

)

select
    evses.evse_key,
    final_sessions.hour_at,
    final_sessions.charge_date,
    sum(final_sessions.energy_kwh) as energy_kwh,
    sum(final_sessions.session_count)::bigint as session_count,
    -- what came before this was kept may have charged all the hour
    least(sum(coalesce(final_sessions.charged_minutes, 60)), 60)::bigint as charged_minutes
from final_sessions
inner join {{ ref('int_charge_points__evses_current') }} as evses
    on
        final_sessions.country_code = evses.country_code
        and final_sessions.party_id = evses.party_id
        and final_sessions.location_id = evses.location_id
        and final_sessions.evse_uid = evses.evse_uid
group by evses.evse_key, final_sessions.hour_at, final_sessions.charge_date
