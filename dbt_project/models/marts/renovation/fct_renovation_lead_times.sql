{{ config(schema='marts') }}

with lead_times as (

    select * from {{ ref('int_renovation_coach__lead_times_shown') }}
    where not is_suppressed

)

select
    step,
    year_reached,
    dossiers,
    median_days,
    ninetieth_percentile_days
from lead_times
order by step, year_reached
