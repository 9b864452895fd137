{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Promises on one figure are one story: a department is told of one of them, which names the others.
with verdicts as (

    select * from {{ ref('int_target_verdicts') }}
    where other_reading_of is null

),

disputes as (

    select * from {{ ref('int_target_disputes') }}

),

status_labels as (

    select * from {{ ref('status_labels') }}

),

weighed as (

    select
        verdicts.target_id,
        verdicts.story_id,
        verdicts.department_id,
        verdicts.alias_of,
        verdicts.target_date,
        verdicts.title_nl || ' (' || status_labels.label_nl || ')' as told_nl,
        verdicts.status not in ('cancelled', 'contested') and verdicts.alias_of is null as is_promise,
        -- by every reading of it, or nobody is alarmed
        disputes.is_late_in_all as may_alarm,
        disputes.is_late_in_one or verdicts.status = 'at_risk' as is_told
    from verdicts
    inner join disputes
        on coalesce(verdicts.alias_of, verdicts.target_id) = disputes.target_id
    inner join status_labels
        on verdicts.status = status_labels.status

),

others as (

    select
        weighed.target_id,
        string_agg(promises.told_nl, '; ' order by promises.target_date, promises.target_id) as others_nl
    from weighed
    inner join weighed as promises
        on
            weighed.story_id = promises.story_id
            and weighed.target_id != promises.target_id
            and weighed.alias_of is distinct from promises.target_id
    where promises.is_promise
    group by weighed.target_id

)

select
    weighed.target_id,
    weighed.story_id,
    weighed.may_alarm,
    row_number() over (
        partition by weighed.story_id, weighed.department_id
        order by
            weighed.may_alarm desc,
            weighed.is_told desc,
            (weighed.alias_of is not null) asc,
            weighed.target_date asc nulls last,
            weighed.target_id asc
    ) = 1 as is_first_of_story,
    others.others_nl
from weighed
left join others
    on weighed.target_id = others.target_id
