{{ latest_version(
    ref('int_charge_points__evses_keyed'), ['country_code', 'party_id', 'location_id', 'evse_uid'], ['last_updated_at']
) }}
