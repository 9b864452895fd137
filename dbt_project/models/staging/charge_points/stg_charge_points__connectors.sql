{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('charge_points', 'connectors', [
    'country_code', 'party_id', 'location_id', 'evse_uid', 'connector_id', 'standard', 'format', 'power_type',
    'max_voltage_v', 'max_amperage_a', 'max_electric_power_w', 'last_updated_at', 'last_updated_date',
]) }}
