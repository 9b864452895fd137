-- Declared power counts; else it follows from voltage and amperage. Operators write the voltage of a three-phase
-- connector line to neutral (as the specification asks) or line to line, hence the limit of 300 V.
select
    country_code,
    party_id,
    location_id,
    evse_uid,
    connector_id,
    max_electric_power_w is not null as is_power_declared,
    coalesce(
        max_electric_power_w,
        case
            when power_type = 'AC_3_PHASE' and max_voltage_v >= 300 then sqrt(3) * max_voltage_v * max_amperage_a
            when power_type = 'AC_3_PHASE' then 3 * max_voltage_v * max_amperage_a
            -- AC_2_PHASE_SPLIT is counted as one phase, the lower reading
            when power_type = 'AC_2_PHASE' and max_voltage_v < 300 then 2 * max_voltage_v * max_amperage_a
            else max_voltage_v * max_amperage_a
        end
    ) / 1000.0 as power_kw
from {{ ref('int_charge_points__connectors_current') }}
