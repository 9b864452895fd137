select
    decision_id,
    target_id,
    question_nl,
    is_contested,
    decided_on is not null as is_decided,
    may_decide_nl,
    decided_by,
    decided_on,
    decided_on as date_key,
    decision_nl
from {{ ref('target_decisions') }}
order by decision_id
