{{ config(schema='marts') }}

-- What the city must fill in for the pact, one row per project.
with projects as (

    select * from {{ ref('int_renovation_coach__projects_shown') }}

)

select
    collective_project_id,
    project_name,
    street,
    completed_date,
    completed_date as date_key,
    dwelling_units,
    renovation_type,
    evidence_url,
    remark,
    enrolments,
    measures_completed,
    fossil_free_measures,
    -- of what is told of a project the smaller of the two is hidden first
    fossil_free_measures is null as is_suppressed,
    case
        when fossil_free_measures is null then 'minder dan vijf gezinnen, of daaruit te herleiden'
    end as empty_reason_nl,
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
