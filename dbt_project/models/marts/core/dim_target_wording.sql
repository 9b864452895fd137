select
    wording_id,
    target_id,
    section,
    wording_nl,
    alias_target_id,
    relation,
    rebase_factor,
    rebase_offset,
    rebase_source_nl,
    decision_id,
    wording_source
from {{ ref('target_wordings') }}
order by wording_id
