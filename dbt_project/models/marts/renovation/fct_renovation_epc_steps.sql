{{ config(schema='marts') }}

with epc_steps as (

    select * from {{ ref('int_renovation_coach__epc_steps_shown') }}

)

select
    year_reached,
    make_date(year_reached, 12, 31) as date_key,
    epc_label_before,
    epc_label_after,
    steps,
    dwellings,
    mean_saving_kwh_m2,
    is_suppressed,
    case
        when is_suppressed then 'minder dan vijf woningen, of daaruit te herleiden'
        when mean_saving_kwh_m2 is null then 'kengetal van minder dan vijf woningen gekend'
    end as empty_reason_nl
from epc_steps
order by year_reached, epc_label_before, epc_label_after
