-- A goal of the pact that no target measures is shown with zero targets, never left out.
with goals as (

    select * from {{ ref('lekp_goals') }}

),

links as (

    select
        reference,
        count(*) as targets_linked
    from {{ ref('target_links') }}
    where framework = 'lekp'
    group by reference

)

select
    goals.goal_uri,
    goals.label_nl,
    coalesce(links.targets_linked, 0) as targets_linked
from goals
left join links
    on goals.goal_uri = links.reference
order by goals.label_nl
