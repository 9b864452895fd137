{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- What is still open about a target: its questions, who may decide them, and what each reading of it comes to.
with readings as (

    select
        *,
        coalesce(other_reading_of, target_id) as registry_id
    from {{ ref('int_target_verdicts') }}

),

questions as (

    select
        target_id,
        string_agg(question_nl, ' ' order by decision_id) as questions_nl,
        string_agg(distinct may_decide_nl, ' of ') as may_decide_nl
    from {{ ref('fct_target_decisions') }}
    where is_contested and not is_decided
    group by target_id

),

status_labels as (

    select * from {{ ref('status_labels') }}

),

compared as (

    select
        readings.registry_id as target_id,
        count(*) as n_readings,
        count(distinct readings.status) > 1 as is_disputed,
        bool_and(readings.status in ('behind', 'overdue')) as is_late_in_all,
        bool_or(readings.status in ('behind', 'overdue')) as is_late_in_one,
        -- how the registry reads it comes first
        string_agg(
            readings.reading_nl || ': ' || status_labels.label_nl, '; '
            order by readings.other_reading_of nulls first, readings.target_id
        ) as readings_nl
    from readings
    inner join status_labels
        on readings.status = status_labels.status
    group by readings.registry_id

)

select
    compared.target_id,
    compared.n_readings,
    compared.is_disputed,
    compared.is_late_in_all,
    compared.is_late_in_one,
    compared.readings_nl,
    questions.questions_nl,
    questions.may_decide_nl
from compared
left join questions
    on compared.target_id = questions.target_id
