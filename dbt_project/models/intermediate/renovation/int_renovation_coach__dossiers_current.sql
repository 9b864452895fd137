{{ latest_version(ref('stg_renovation_coach__dossiers'), key=['team', 'dossier_id'], version=['phase_date']) }}
