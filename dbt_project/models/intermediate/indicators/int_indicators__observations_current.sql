{{ latest_version(
    ref('stg_indicators__observations'),
    key=['kpi_id', 'area_id', 'ref_date'],
    version=['published_date']
) }}
