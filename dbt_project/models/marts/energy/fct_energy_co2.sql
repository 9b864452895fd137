-- The same energy in two scopes: all of it, and without the electricity that the European emission trade covers. Which
-- of the two the pact means is not established, so both are shown. A missing factor leaves the emission empty: it is
-- not zero.
with months as (

    select * from {{ ref('fct_energy_monthly') }}
    where direction = 'offtake'

),

scopes as (

    select * from {{ ref('emission_scopes') }}

),

emission_factors as (

    select * from {{ ref('int_emission_factors') }}

)

select
    scopes.scope,
    months.site_id,
    months.carrier,
    months.month_start_date,
    months.date_key,
    months.energy_kwh,
    months.emission_factor_id,
    emission_factors.basis,
    emission_factors.source_version,
    emission_factors.kg_co2_per_kwh,
    months.co2_kg,
    months.co2_nl,
    months.known_at
from months
inner join scopes
    on months.carrier = scopes.carrier
left join emission_factors
    on months.emission_factor_id = emission_factors.factor_id
order by scopes.scope, months.month_start_date, months.site_id, months.carrier
