{{ config(schema='marts', meta={'suppresses': true}) }}

-- What the city must fill in for the pact, one row per project: a project has at least ten dwellings, so no row
-- is about one household. Of what two lines say differently, the line of the last date counts.
with measures as (

    select * from {{ ref('int_renovation_coach__measures_current') }}
    where collective_project_id is not null and project_enrolments >= 10

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
        max(project_completed_date) as completed_date,
        max(project_evidence) as evidence_url,
        max(project_remark) as remark,
        max(known_at) as known_at
    from measures
    group by collective_project_id

),

projects as (

    select
        last_lines.collective_project_id,
        last_lines.project_name,
        last_lines.project_street as street,
        counts.completed_date,
        last_lines.project_dwelling_units as dwelling_units,
        last_lines.project_type as renovation_type,
        counts.evidence_url,
        counts.remark,
        last_lines.project_enrolments as enrolments,
        counts.measures_completed,
        counts.fossil_free_measures,
        counts.known_at
    from last_lines
    inner join counts
        on last_lines.collective_project_id = counts.collective_project_id

)

select
    collective_project_id,
    project_name,
    street,
    completed_date,
    dwelling_units,
    renovation_type,
    evidence_url,
    remark,
    enrolments,
    measures_completed,
    fossil_free_measures,
    nullif(
        concat_ws(
            ', ',
            case when project_name is null then 'naam' end,
            case when completed_date is null then 'datum van oplevering' end,
            case when dwelling_units is null then 'wooneenheden' end,
            case when renovation_type is null then 'type' end,
            case when evidence_url is null then 'bewijsstuk' end
        ),
        ''
    ) as missing_fields,
    known_at
from projects
order by collective_project_id
