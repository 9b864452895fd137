{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('renovation_coach', 'measures', [
    'dossier_id', 'team', 'line_no', 'measure', 'status', 'status_date', 'offers_count', 'cost_eur',
    'works_completed_date', 'premium_type', 'premium_eur', 'premium_status', 'is_fossil_free', 'collective_project_id',
    'project_name', 'project_street', 'project_enrolments', 'project_dwelling_units', 'project_type',
    'project_completed_date', 'project_evidence', 'project_remark', 'is_correction', 'delivery_week', 'is_snapshot',
]) }}
