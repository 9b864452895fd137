{{ latest_version(
    ref('int_charge_points__locations_stamped'), ['country_code', 'party_id', 'location_id'], ['last_updated_at']
) }}
