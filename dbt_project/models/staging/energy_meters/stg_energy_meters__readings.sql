{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('energy_meters', 'readings', [
    'ean', 'meter_id', 'sub_ean', 'carrier', 'direction', 'register', 'unit', 'granularity', 'start_at', 'end_at',
    'value', 'quality', 'quality_rank', 'gcv_state', 'source', 'reading_date', 'has_check_digit',
]) }}
