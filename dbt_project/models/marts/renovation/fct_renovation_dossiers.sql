-- The pseudonym of the dwelling stays behind: readers of the marts never need it.
select
    team,
    dossier_id,
    sector_id as area_id,
    dwelling_type,
    build_year,
    channel,
    phase,
    phase_date,
    stop_reason,
    income_category,
    is_vulnerable,
    intake_date,
    house_visit_date,
    plan_delivered_date,
    epc_label_before,
    epc_label_after,
    withdrawn_date,
    known_at
from {{ ref('int_renovation_coach__dossiers_current') }}
order by team, dossier_id
