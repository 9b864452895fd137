with positions as (

    select * from {{ ref('int_target_positions') }}

),

builds as (

    select * from {{ ref('dim_build') }}

),

dq_verdicts as (

    select * from {{ ref('stg_quality__dq_verdicts') }}

),

status_labels as (

    select * from {{ ref('status_labels') }}

),

sentence_templates as (

    select * from {{ ref('sentence_templates') }}

),

judged as (

    select
        positions.*,
        coalesce(builds.as_of_date, {{ as_of_date('null::date') }}) as as_of_date,
        builds.build_id,
        coalesce(dq_verdicts.dq_verdict, 'unverified') as dq_verdict,
        coalesce(dq_verdicts.dq_reasons, ['geen oordeel over de gegevens']) as dq_reasons
    from positions
    left join builds
        on true
    left join dq_verdicts
        on positions.value_kpi_id = dq_verdicts.kpi_id

),

with_status as (

    select
        *,
        case
            when value is null then 'no_data'
            when as_of_date < baseline_date then 'not_started'
            when dq_verdict = 'unverified' then 'unverified'
            when target_value is null or (target_date is null and trajectory in ('linear', 'none')) then 'monitored'
            -- a yearly rate without an end is never reached for good
            when
                direction_sign * (value - target_value) >= 0 and not (trajectory = 'compound' and target_date is null)
                then 'reached'
            when as_of_date > target_date then 'overdue'
            when date_diff('day', ref_date, as_of_date) > 1.5 * cadence_days + publication_lag_days then 'stale'
            when required_value is null then 'monitored'
            when trajectory = 'step' and time_share >= 0.75 then 'at_risk'
            when gap >= -tolerance or attainment >= 0.95 then 'on_track'
            when trajectory = 'constant' and gap >= -2 * tolerance then 'at_risk'
            when attainment >= 0.60 then 'at_risk'
            else 'behind'
        end as status
    from judged

),

-- a sentence says counts whole, percentages with one decimal and small ratios with two
with_digits as (

    select
        *,
        starts_with(unit, '%') as is_percentage,
        case
            when starts_with(unit, '%') then 1
            when greatest(abs(value), abs(required_value), abs(target_value)) >= 100 then 0
            else 2
        end as digits
    from with_status

),

with_texts as (

    select
        *,
        case when is_percentage then ' %' else '' end as suffix,
        case when is_percentage then ' procentpunt' else '' end as gap_suffix,
        {{ dutch_number('value', 'digits') }} as value_text,
        {{ dutch_number('required_value', 'digits') }} as required_text,
        {{ dutch_number('target_value', 'digits') }} as target_text,
        {{ dutch_number('abs(gap)', 'digits') }} as gap_text
    from with_digits

),

worded as (

    select
        *,
        case
            when status not in ('on_track', 'at_risk', 'behind') then status
            when trajectory = 'step' then 'step'
            when gap_text = '0' then 'on_path'
            else 'off_path'
        end as template_id,
        case
            when direction_sign = 1 and gap < 0 then 'te weinig'
            when direction_sign = 1 then 'meer dan gevraagd'
            when gap < 0 then 'te veel'
            else 'beter dan gevraagd'
        end as gap_words
    from with_texts

)

select
    worded.target_id,
    worded.kpi_id,
    worded.department_id,
    worded.section,
    worded.title_nl,
    worded.title_en,
    worded.unit,
    worded.direction,
    worded.as_of_date,
    worded.ref_date,
    worded.complete_until,
    worded.value,
    worded.baseline_value,
    worded.target_value,
    worded.target_date,
    worded.required_value,
    worded.gap,
    worded.progress,
    worded.time_share,
    worded.status,
    {{ fill_template('sentence_templates.template_nl', {
        'title': 'worded.title_nl',
        'value': 'worded.value_text || worded.suffix',
        'required': 'worded.required_text || worded.suffix',
        'target': 'worded.target_text || worded.suffix',
        'target_date': "strftime(worded.target_date, '%d-%m-%Y')",
        'ref_date': "strftime(worded.ref_date, '%d-%m-%Y')",
        'gap': 'worded.gap_text || worded.gap_suffix',
        'words': 'worded.gap_words',
        'status': 'status_labels.label_nl',
    }) }} as sentence_nl,
    worded.dq_verdict,
    worded.dq_reasons,
    worded.completeness,
    worded.is_binding,
    worded.is_public,
    worded.is_contested,
    worded.definition_version,
    worded.build_id,
    worded.known_at
from worded
left join status_labels
    on worded.status = status_labels.status
left join sentence_templates
    on worded.template_id = sentence_templates.template_id
order by worded.target_id
