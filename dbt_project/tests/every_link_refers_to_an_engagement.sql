{{ config(severity='error', tags=['structure']) }}

-- a link to a goal or action that is in no list would bind a target to nothing
select
    target_id,
    framework,
    reference
from {{ ref('bridge_target_framework') }}
where reference_title_nl is null
