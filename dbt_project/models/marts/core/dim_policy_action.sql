-- Objectives, plans and actions of the multi-year plan in one list; the parents show the way up.
with nodes as (

    select * from {{ ref('policy_tree') }}

)

select
    nodes.code,
    nodes.parent_code,
    nodes.level,
    nodes.title_nl,
    parents.title_nl as parent_title_nl,
    coalesce(grandparents.title_nl, case when nodes.level = 'plan' then parents.title_nl end) as objective_title_nl,
    nodes.is_priority,
    nodes.valid_from,
    nodes.valid_to,
    nodes.is_synthetic
from nodes
left join nodes as parents
    on nodes.parent_code = parents.code
left join nodes as grandparents
    on parents.parent_code = grandparents.code
order by nodes.code
