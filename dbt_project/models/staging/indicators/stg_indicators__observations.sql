{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('indicators', 'observations', [
    'kpi_id', 'area_id', 'ref_date', 'value', 'unit', 'source_name', 'published_date', 'uncertainty_low',
    'uncertainty_high', 'is_checked', 'embargo_until_at',
]) }}
