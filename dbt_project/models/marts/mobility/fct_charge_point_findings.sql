-- Rules about behaviour refuse no row: they name what somebody should ask the operator. A point is a thing, who charged
-- at it is a person: no evidence tells when, how long or how much one session was.
with charge_points as (

    select * from {{ ref('fct_charge_points') }}

),

history as (

    select * from {{ ref('fct_charge_point_history') }}

),

sessions as (

    select * from {{ ref('int_charge_points__sessions_current') }}

),

sources_complete as (

    select
        complete_until,
        ref_date
    from {{ ref('int_sources_complete') }}
    where source_name = 'charge_points'

),

used as (

    select
        evse_key,
        max(hour_at) as last_session_at
    from sessions
    group by evse_key

),

charged as (

    select distinct evse_key
    from history
    where status = 'CHARGING'

),

observed as (

    select
        charge_points.*,
        used.last_session_at,
        charged.evse_key is not null as was_charging,
        sources_complete.complete_until,
        sources_complete.complete_until - interval 30 day as month_ago_at
    from charge_points
    cross join sources_complete
    left join used on charge_points.evse_key = used.evse_key
    left join charged on charge_points.evse_key = charged.evse_key

),

never_active as (

    select
        'never_active' as rule,
        'warning' as severity,
        *,
        'Al ' || date_diff('day', first_seen_at, complete_until) || ' dagen gekend, nog nooit gebruikt.' as evidence
    from observed
    where first_seen_at < month_ago_at and not was_charging and last_session_at is null

),

silent_for_a_month as (

    select
        'silent_for_a_month' as rule,
        'note' as severity,
        *,
        'Laatst gewijzigd op ' || strftime(last_updated_at, '%d/%m/%Y')
        || ', en al dertig dagen geen laadsessie.' as evidence
    from observed
    where greatest(last_updated_at, last_session_at) < month_ago_at

),

too_much_energy as (

    select
        sessions.evse_key,
        count(*) as hours_count
    from sessions
    inner join charge_points on sessions.evse_key = charge_points.evse_key
    -- against the time of charging, not the hour it lies in
    where sessions.energy_kwh > 1.1 * charge_points.power_kw * sessions.charged_minutes / 60
    group by sessions.evse_key

),

energy_above_power as (

    select
        'energy_above_power' as rule,
        'warning' as severity,
        observed.*,
        {{ hours_told('too_much_energy.hours_count') }} || ' met meer energie dan kan bij '
        || {{ dutch_number('observed.power_kw', 1) }} || ' kW.' as evidence
    from observed
    inner join too_much_energy on observed.evse_key = too_much_energy.evse_key

),

contradicted as (

    select
        sessions.evse_key,
        count(*) as hours_count
    from sessions
    inner join {{ ref('fct_charge_point_status_hourly') }} as statuses
        on
            sessions.evse_key = statuses.evse_key
            and sessions.hour_at = statuses.hour_at
    where sessions.session_count > 0 and statuses.status in ('INOPERATIVE', 'OUTOFORDER')
    group by sessions.evse_key

),

session_against_status as (

    select
        'session_against_status' as rule,
        'warning' as severity,
        observed.*,
        {{ hours_told('contradicted.hours_count') }}
        || ' met een laadsessie terwijl het laadpunt buiten dienst heet.' as evidence
    from observed
    inner join contradicted on observed.evse_key = contradicted.evse_key

),

implausible_power as (

    select
        'implausible_power' as rule,
        'warning' as severity,
        *,
        {{ dutch_number('power_kw', 1) }}
        || ' kW (' || case when power_source = 'declared' then 'opgegeven' else 'berekend' end
        || case when has_power_mismatch then ', klopt niet met spanning en stroom' else '' end || ').' as evidence
    from observed
    where power_kw < 3 or power_kw > 400 or has_power_mismatch

),

implausible_points as (

    select
        'implausible_points' as rule,
        'note' as severity,
        *,
        count(*) over by_location || ' laadpunten op één locatie.' as evidence
    from observed
    window by_location as (partition by country_code, party_id, location_id)
    qualify count(*) over by_location > 50

),

words as (

    -- lists that OCPI leaves open: a word that is not on them is kept, and somebody should know what it means
    select
        evse_key,
        parking_type as word
    from charge_points
    where
        parking_type not in (
            'ALONG_MOTORWAY', 'PARKING_GARAGE', 'PARKING_LOT', 'ON_DRIVEWAY', 'ON_STREET', 'UNDERGROUND_GARAGE'
        )
    union
    select
        charge_points.evse_key,
        restrictions.word
    from charge_points
    inner join {{ ref('int_charge_points__evses_live') }} as evses
        on charge_points.evse_key = evses.evse_key
    cross join unnest(string_split(evses.parking_restrictions, ',')) as restrictions (word)
    where
        restrictions.word not in (
            'CUSTOMERS', 'DISABLED', 'EMPLOYEES', 'EV_ONLY', 'MOTORCYCLES', 'PLUGGED', 'TAXIS', 'TENANTS'
        )
    union
    select
        charge_points.evse_key,
        connectors.standard as word
    from charge_points
    inner join {{ ref('int_charge_points__evses_live') }} as evses
        on charge_points.evse_key = evses.evse_key
    -- a connector comes with the delivery of its EVSE: what an earlier one said is no longer so
    inner join {{ ref('stg_charge_points__connectors') }} as connectors
        on
            evses.country_code = connectors.country_code
            and evses.party_id = connectors.party_id
            and evses.location_id = connectors.location_id
            and evses.evse_uid = connectors.evse_uid
            and evses.supplied_at = connectors.supplied_at
            and evses.content_sha256 = connectors.content_sha256
    where
        not regexp_full_match(
            upper(connectors.standard),
            'CHADEMO|CHAOJI|DOMESTIC_[A-O]|GBT_(AC|DC)|IEC_(60309_2|62196)_[A-Z0-9_]+|MCS|NEMA_[0-9_]+'
            || '|PANTOGRAPH_(BOTTOM_UP|TOP_DOWN)|SAE_J3400|TESLA_[RS]'
        )

),

worded as (

    select
        evse_key,
        string_agg(word, ', ' order by word) as unknown_words
    from words
    group by evse_key

),

unknown_word as (

    select
        'unknown_word' as rule,
        'note' as severity,
        observed.*,
        'OCPI kent dit woord niet: ' || worded.unknown_words || '.' as evidence
    from observed
    inner join worded on observed.evse_key = worded.evse_key

),

unnamed as (

    select
        'vanished' as rule,
        'note' as severity,
        *,
        'Niet meer genoemd sinds ' || strftime(missing_since_at, '%d/%m/%Y')
        || '; telt niet mee, tenzij de volgende volledige bevraging het weer noemt.' as evidence
    from history
    where missing_since_at is not null and is_in_stock

),

findings as (

    {% for rule in [
        'never_active', 'silent_for_a_month', 'energy_above_power', 'session_against_status', 'implausible_power',
        'implausible_points', 'unknown_word', 'unnamed'
    ] %}
    select
        rule,
        severity,
        country_code,
        party_id,
        operator_name,
        location_id,
        evse_key,
        evidence
    from {{ rule }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select
    findings.*,
    sources_complete.ref_date as date_key
from findings
left join sources_complete
    on true
order by findings.rule, findings.evse_key
