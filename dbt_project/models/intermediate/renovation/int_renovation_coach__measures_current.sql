with speaking as (

    {{ weekly_versions(
        ref('stg_renovation_coach__measures'), key=['team', 'dossier_id', 'line_no'], table_name='measures'
    ) }}

),

-- the macro names its own CTEs, so it stands alone
current_versions as (

    {{ latest_version(
        'speaking',
        key=['team', 'dossier_id', 'line_no'],
        version=['status_date', 'delivery_week'],
        of_the_delivery=['delivery_week', 'is_correction']
    ) }}

)

select * from current_versions
