with speaking as (

    {{ weekly_versions(ref('stg_renovation_coach__dossiers'), key=['team', 'dossier_id'], table_name='dossiers') }}

),

-- the macro names its own CTEs, so it stands alone
current_versions as (

    {{ latest_version(
        'speaking',
        key=['team', 'dossier_id'],
        version=['phase_date', 'delivery_week'],
        of_the_delivery=['delivery_week', 'is_correction']
    ) }}

)

select * from current_versions
