{{ config(tags=['data']) }}

select fct_charge_points.evse_key
from {{ ref('fct_charge_points') }} as fct_charge_points
where fct_charge_points.latitude is null
