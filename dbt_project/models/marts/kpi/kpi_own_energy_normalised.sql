{{ config(tags=['kpi'], meta={'kpi_ids': ['own_energy_use_normalised_yearly']}) }}

-- The city's own use of energy as it would have been in a normal year, twelve whole months against 2019. It stands
-- beside the measured use, which decides.
with cities as (

    select * from {{ ref('city') }}

),

compared as (

    select
        'own_energy_use_normalised_yearly' as kpi_id,
        *
    from {{ ref('int_energy_meters__years_beside_2019') }}

),

-- the macro names its own CTEs, so it stands alone
indexed as (

    {{ index_since_2019(
        'compared', value='normalised_kwh', missing='without_degree_days', lacks_nl='graaddagen ontbreken',
        no_base_nl='geen verbruik in 2019', per=1, method='normalised-v1', model='kpi_own_energy_normalised'
    ) }}

)

select * from indexed
order by ref_date
