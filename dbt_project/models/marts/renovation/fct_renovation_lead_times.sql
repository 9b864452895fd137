{{ config(schema='marts') }}

with lead_times as (

    select * from {{ ref('int_renovation_coach__lead_times_shown') }}

)

select
    step,
    year_reached,
    make_date(year_reached, 12, 31) as date_key,
    dossiers,
    median_days,
    ninetieth_percentile_days,
    is_suppressed,
    case when is_suppressed then 'minder dan vijf dossiers, of daaruit te herleiden' end as empty_reason_nl
from lead_times
order by step, year_reached
