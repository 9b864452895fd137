-- What another method or definition made of a target, over all departments, until something else is said of it. What
-- was said before is read to be listed; no judgement is made from it.
with verdicts as (

    select * from {{ ref('fct_target_verdicts') }}

),

said as (

    select * from {{ ref('stg_pipeline__said') }}

),

status_labels as (

    select * from {{ ref('status_labels') }}

),

changes as (

    -- of this build
    select
        verdicts.target_id,
        said.status_nl as former_status_nl,
        verdicts.as_of_date as changed_on
    from verdicts
    inner join said
        on verdicts.target_id = said.target_id
    where
        verdicts.status != said.status
        and (
            verdicts.definition_version != said.definition_version
            -- what was said before there were versions was said by the first
            or verdicts.method_version != coalesce(said.method_version, 1)
        )
    union all
    -- of an earlier one
    select
        verdicts.target_id,
        said.former_status_nl,
        said.as_of_date as changed_on
    from verdicts
    inner join said
        on
            verdicts.target_id = said.target_id
            and verdicts.status = said.status
    where said.method_changed

)

select
    verdicts.target_id,
    verdicts.department_id,
    verdicts.title_nl,
    verdicts.title_en,
    former_labels.status as former_status,
    changes.former_status_nl,
    verdicts.status,
    verdicts.status_nl,
    changes.changed_on,
    changes.changed_on as date_key,
    verdicts.method_version,
    verdicts.definition_version
from changes
inner join verdicts
    on changes.target_id = verdicts.target_id
left join status_labels as former_labels
    on changes.former_status_nl = former_labels.label_nl
order by verdicts.department_id, verdicts.target_id
