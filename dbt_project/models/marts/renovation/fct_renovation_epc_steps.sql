{{ config(schema='marts') }}

with epc_steps as (

    select * from {{ ref('int_renovation_coach__epc_steps_shown') }}
    where not is_suppressed

)

select
    year_reached,
    epc_label_before,
    epc_label_after,
    steps,
    dwellings,
    mean_saving_kwh_m2
from epc_steps
order by year_reached, epc_label_before, epc_label_after
