{{ config(tags=['data']) }}

-- without power a charge point weighs nothing: one in twenty is more than a slip of an operator
select
    count(*) as charge_points,
    count(*) filter (where power_kw < 3) as without_power
from {{ ref('fct_charge_points') }}
having count(*) filter (where power_kw < 3) > 0.05 * count(*)
