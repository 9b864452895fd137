select
    covenant_action_id,
    title_nl,
    title_en,
    sector,
    pillar,
    valid_from,
    valid_to,
    is_synthetic
from {{ ref('covenant_actions') }}
order by covenant_action_id
