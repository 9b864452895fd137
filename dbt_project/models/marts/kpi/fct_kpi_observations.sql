{{ config(schema='marts') }}

{{ require_every_tagged_kpi() }}

with united as (

    {% for kpi_model in kpi_models() %}
    select {{ kpi_columns() }}
    from {{ ref(kpi_model) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select
    *,
    ref_date as date_key
from united
order by kpi_id, area_id, ref_date, kpi_model
