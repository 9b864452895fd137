{{ config(tags=['kpi'], meta={'kpi_ids': ['own_co2_index_2019_non_ets', 'own_co2_index_2019_total']}) }}

-- The emission of twelve whole months against that of 2019, in the two scopes. Which of the two the pact means is not
-- established. A carrier without a factor leaves the whole scope without a value: an unknown emission is not zero.
with scopes as (

    select * from {{ ref('emission_scopes') }}

),

cities as (

    select * from {{ ref('city') }}

),

compared as (

    select
        'own_co2_index_2019_' || scopes.scope as kpi_id,
        years.*
    from {{ ref('int_energy_meters__years_beside_2019') }} as years
    inner join scopes
        on years.carrier = scopes.carrier

),

-- the macro names its own CTEs, so it stands alone
indexed as (

    {{ index_since_2019(
        'compared', value='co2_kg', missing='without_factor', lacks_nl='factor ontbreekt',
        no_base_nl='geen uitstoot in 2019', per=1000, method='co2-index-v2', model='kpi_own_co2_index'
    ) }}

)

select * from indexed
order by kpi_id, ref_date
