{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('charge_points', 'evses', [
    'country_code', 'party_id', 'location_id', 'evse_uid', 'evse_id', 'status', 'parking_restrictions',
    'last_updated_at', 'last_updated_date',
]) }}
