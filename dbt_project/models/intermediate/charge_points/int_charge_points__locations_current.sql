{{ latest_version(
    ref('stg_charge_points__locations'), ['country_code', 'party_id', 'location_id'], ['last_updated_at']
) }}
