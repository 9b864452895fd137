select *
from {{ ref('stg_renovation_coach__dossiers') }}
{{ latest_version(key=['team', 'dossier_id'], version=['phase_date']) }}
