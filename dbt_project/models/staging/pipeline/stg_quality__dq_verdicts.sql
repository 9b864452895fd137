{#- filled between measure and judge, so it belongs to judge -#}
{{ config(tags=['judge']) }}

select
    kpi_id,
    verdict as dq_verdict,
    reasons as dq_reasons,
    build_id
from {{ source('quality', 'dq_verdict') }}
