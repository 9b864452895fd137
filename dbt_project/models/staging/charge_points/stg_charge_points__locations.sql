{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('charge_points', 'locations', [
    'country_code', 'party_id', 'location_id', 'is_published', 'latitude', 'longitude', 'parking_type', 'operator_name',
    'is_open_24_7', 'hours_min_per_day', 'municipality_id', 'sector_id', 'is_in_municipality', 'last_updated_at',
    'last_updated_date',
]) }}
