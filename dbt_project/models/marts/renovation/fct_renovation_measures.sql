select
    team,
    dossier_id,
    line_no,
    measure,
    status,
    status_date,
    offers_count,
    cost_eur,
    works_completed_date,
    premium_type,
    premium_eur,
    premium_status,
    is_fossil_free,
    collective_project_id,
    withdrawn_date,
    known_at
from {{ ref('int_renovation_coach__measures_current') }}
order by team, dossier_id, line_no
