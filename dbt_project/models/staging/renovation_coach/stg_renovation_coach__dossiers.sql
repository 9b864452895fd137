select
    dossier_id,
    team,
    dwelling_key,
    sector_id,
    dwelling_type,
    intake_date,
    phase,
    phase_date,
    house_visit_date,
    plan_delivered_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('renovation_coach', 'dossiers') }}
