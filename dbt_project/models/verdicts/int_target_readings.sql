{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Every way in which a target can be read: one for each combination of answers to its open questions. How the registry
-- reads it bears the id of the target itself; every other reading is one more row, judged as a target is.
with recursive targets as (

    select * from {{ ref('dim_target') }}

),

denominators as (

    select
        denominator_id,
        arg_max(value, valid_from) as value
    from {{ ref('denominators') }}
    group by denominator_id

),

answers as (

    select
        decisions.target_id,
        dense_rank() over (partition by decisions.target_id order by readings.decision_id) as question_no,
        readings.reading_id,
        readings.reading_nl,
        readings.value_kpi_id,
        readings.denominator_id,
        readings.baseline_value,
        readings.baseline_date,
        readings.target_value,
        readings.target_date,
        -- the one that fills in nothing else is the registry's own
        coalesce(
            readings.value_kpi_id, readings.denominator_id, readings.baseline_value::varchar,
            readings.baseline_date::varchar, readings.target_value::varchar, readings.target_date::varchar
        ) is null as is_own
    from {{ ref('target_readings') }} as readings
    inner join {{ ref('fct_target_decisions') }} as decisions
        on readings.decision_id = decisions.decision_id
    where not decisions.is_decided

),

combined as (

    select
        target_id,
        0::bigint as question_no,
        []::varchar[] as other_ids,
        []::varchar[] as answers_nl,
        null::varchar as value_kpi_id,
        null::varchar as denominator_id,
        null::double as baseline_value,
        null::date as baseline_date,
        null::double as target_value,
        null::date as target_date
    from targets

    union all

    select
        combined.target_id,
        answers.question_no,
        case when answers.is_own then combined.other_ids else list_append(combined.other_ids, answers.reading_id) end
            as other_ids,
        list_append(combined.answers_nl, answers.reading_nl) as answers_nl,
        coalesce(answers.value_kpi_id, combined.value_kpi_id) as value_kpi_id,
        coalesce(answers.denominator_id, combined.denominator_id) as denominator_id,
        coalesce(answers.baseline_value, combined.baseline_value) as baseline_value,
        coalesce(answers.baseline_date, combined.baseline_date) as baseline_date,
        coalesce(answers.target_value, combined.target_value) as target_value,
        coalesce(answers.target_date, combined.target_date) as target_date
    from combined
    inner join answers
        on
            combined.target_id = answers.target_id
            and combined.question_no + 1 = answers.question_no

),

-- with every question answered
whole as (

    select *
    from combined
    qualify question_no = max(question_no) over (partition by target_id)

)

select
    targets.* replace (
        case when len(whole.other_ids) = 0 then targets.target_id else array_to_string(whole.other_ids, '+') end
            as target_id,
        coalesce(whole.baseline_value, targets.baseline_value) as baseline_value,
        coalesce(whole.baseline_date, targets.baseline_date) as baseline_date,
        coalesce(whole.target_value, targets.target_value) as target_value,
        coalesce(whole.target_date, targets.target_date) as target_date,
        -- on another base the same count is another ratio
        case
            when whole.denominator_id is null then targets.rebase_factor
            else coalesce(targets.rebase_factor, 1) * bases.value / other_bases.value
        end as rebase_factor,
        case
            when whole.denominator_id is null then targets.rebase_offset else coalesce(targets.rebase_offset, 0)
        end as rebase_offset
    ),
    whole.value_kpi_id as reading_kpi_id,
    case when len(whole.other_ids) > 0 then targets.target_id end as other_reading_of,
    case when len(whole.answers_nl) > 0 then array_to_string(whole.answers_nl, ', ') end as reading_nl
from targets
inner join whole
    on targets.target_id = whole.target_id
left join denominators as bases
    on targets.denominator_id = bases.denominator_id
left join denominators as other_bases
    on whole.denominator_id = other_bases.denominator_id
