{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('renovation_coach', 'dossiers', [
    'dossier_id', 'team', 'dwelling_key', 'sector_id', 'dwelling_type', 'build_year', 'dwelling_units', 'intake_date',
    'channel', 'phase', 'phase_date', 'stop_reason', 'household_role', 'income_category', 'is_vulnerable',
    'house_visit_date', 'plan_delivered_date', 'epc_before_kwh_m2', 'epc_label_before', 'epc_after_kwh_m2',
    'epc_label_after', 'epc_date', 'is_correction', 'delivery_week', 'is_snapshot',
]) }}
