-- Which engagement binds which target: one row per target, engagement and period.
with links as (

    select * from {{ ref('target_links') }}

),

engagements as (

    select
        'lekp' as framework,
        goal_uri as reference,
        label_nl as reference_title_nl,
        false as is_synthetic
    from {{ ref('lekp_goals') }}
    union all by name
    select
        'plan' as framework,
        code as reference,
        title_nl as reference_title_nl,
        is_synthetic
    from {{ ref('policy_tree') }}
    union all by name
    select
        'covenant' as framework,
        covenant_action_id as reference,
        title_nl as reference_title_nl,
        is_synthetic
    from {{ ref('covenant_actions') }}

)

select
    links.target_id,
    links.framework,
    links.reference,
    engagements.reference_title_nl,
    links.relation,
    links.valid_from,
    links.valid_to,
    coalesce(engagements.is_synthetic, false) as is_synthetic,
    links.note_nl
from links
left join engagements
    on
        links.framework = engagements.framework
        and links.reference = engagements.reference
order by links.target_id, links.framework, links.reference
