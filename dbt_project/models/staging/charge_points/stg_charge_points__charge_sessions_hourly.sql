{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('charge_points', 'charge_sessions_hourly', [
    'country_code', 'party_id', 'location_id', 'evse_uid', 'module', 'hour_at', 'energy_kwh', 'session_count',
    'charged_minutes', 'charge_date',
]) }}
