{{ config(meta={'suppresses': true}) }}

-- One row per collective project: a project has at least ten dwellings and may be named. What is done in it is told
-- where five dossiers or more stand behind it; the projects, with one row of the buildings that count without one, add
-- up to what the KPI tells of the whole city. Of what two lines say differently, the line of the last date counts.
with dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

measures as (

    select
        measures.* replace (
            -- no project has a code in small letters
            coalesce(measures.collective_project_id, 'gebouwen') as collective_project_id,
            case
                when measures.collective_project_id is null then 'Gebouwen van tien woningen of meer, zonder project'
                else measures.project_name
            end as project_name
        ),
        concat_ws('/', measures.team, measures.dossier_id) as dossier_key
    from {{ ref('int_renovation_coach__measures_current') }} as measures
    left join dossiers
        on measures.team = dossiers.team and measures.dossier_id = dossiers.dossier_id
    where {{ is_collective('measures', 'dossiers') }}

),

last_lines as (

    select *
    from measures
    qualify row_number() over (
        partition by collective_project_id
        order by status_date desc, delivery_week desc nulls last, team asc, dossier_id asc, line_no asc
    ) = 1

),

counts as (

    select
        collective_project_id,
        count(*) filter (where works_completed_date is not null) as measures_completed,
        count(*) filter (where works_completed_date is not null and is_fossil_free) as fossil_free_measures,
        count(distinct dossier_key) filter (where works_completed_date is not null) as dossiers,
        count(distinct dossier_key) filter (
            where works_completed_date is not null and is_fossil_free
        ) as fossil_free_dossiers,
        count(distinct dossier_key) filter (
            where works_completed_date is not null and not coalesce(is_fossil_free, false)
        ) as other_dossiers,
        max(project_completed_date) as completed_date,
        max(project_evidence) as evidence_url,
        max(project_remark) as remark,
        max(known_at) as known_at
    from measures
    group by collective_project_id

),

projects as (

    select
        last_lines.project_name,
        last_lines.project_street as street,
        last_lines.project_dwelling_units as dwelling_units,
        last_lines.project_type as renovation_type,
        last_lines.project_enrolments as enrolments,
        counts.*
    from last_lines
    inner join counts
        on last_lines.collective_project_id = counts.collective_project_id

),

-- the macro names its own CTEs, so it stands alone
shown as (

    {{ suppressed(
        'projects',
        total_by=['true'],
        cell=['collective_project_id'],
        count='dossiers',
        measures=['measures_completed', 'fossil_free_measures'],
        parts=[{'counts': ['fossil_free_dossiers', 'other_dossiers'], 'measures': ['fossil_free_measures']}]
    ) }}

)

select * exclude (dossiers, fossil_free_dossiers, other_dossiers)
from shown
