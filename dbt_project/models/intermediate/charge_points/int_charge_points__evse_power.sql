-- Declared power counts; else it follows from voltage and amperage. Operators write the voltage of a three-phase
-- connector line to neutral (as the specification asks) or line to line, hence the limit of 300 V. The connectors of
-- one EVSE are alternatives: the strongest one is its power. A connector comes with the delivery of its EVSE.
with connectors as (

    select
        *,
        case
            when power_type = 'AC_3_PHASE' and max_voltage_v >= 300 then sqrt(3) * max_voltage_v * max_amperage_a
            when power_type = 'AC_3_PHASE' then 3 * max_voltage_v * max_amperage_a
            -- AC_2_PHASE_SPLIT is counted as one phase, the lower reading
            when power_type = 'AC_2_PHASE' and max_voltage_v < 300 then 2 * max_voltage_v * max_amperage_a
            else max_voltage_v * max_amperage_a
        end as derived_w
    from {{ ref('stg_charge_points__connectors') }}

),

powered as (

    select
        *,
        coalesce(max_electric_power_w, derived_w) / 1000.0 as power_kw,
        case when max_electric_power_w is null then 'derived' else 'declared' end as power_source,
        coalesce(max_electric_power_w / derived_w not between 0.8 and 1.25, false) as has_power_mismatch
    from connectors

)

select
    country_code,
    party_id,
    location_id,
    evse_uid,
    supplied_at,
    content_sha256,
    max(power_kw) as power_kw,
    arg_max(power_source, (power_kw, connector_id)) as power_source,
    arg_max(power_type, (power_kw, connector_id)) as power_type,
    bool_or(has_power_mismatch) as has_power_mismatch
from powered
group by country_code, party_id, location_id, evse_uid, supplied_at, content_sha256
