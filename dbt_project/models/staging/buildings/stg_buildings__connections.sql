{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('buildings', 'connections', [
    'site_id', 'name_nl', 'ean', 'carrier', 'valid_from_date', 'valid_to_date', 'floor_area_m2', 'building_use',
    'department_id', 'building_register_id', 'is_dwelling', 'area_id',
]) }}
