{{ config(tags=['data']) }}

-- one in five charge points with the same warning is a habit of the operator, not a broken post
with warned as (

    select
        rule,
        country_code,
        party_id,
        count(distinct evse_key) as warned_count
    from {{ ref('fct_charge_point_findings') }}
    where severity = 'warning'
    group by rule, country_code, party_id

),

stock as (

    select
        country_code,
        party_id,
        count(*) as charge_points_count
    from {{ ref('fct_charge_points') }}
    group by country_code, party_id

)

select warned.*
from warned
inner join stock
    on
        warned.country_code = stock.country_code
        and warned.party_id = stock.party_id
where warned.warned_count >= 10 and warned.warned_count > 0.2 * stock.charge_points_count
