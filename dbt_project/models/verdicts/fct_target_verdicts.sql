with verdicts as (

    select * from {{ ref('int_target_verdicts') }}

),

delays as (

    select * from {{ ref('int_target_delays') }}

),

comparisons as (

    select * from {{ ref('int_target_comparisons') }}

),

status_labels as (

    select * from {{ ref('status_labels') }}

),

sentence_templates as (

    select * from {{ ref('sentence_templates') }}

),

-- a sentence says counts whole, percentages with one decimal and small ratios with two
with_digits as (

    select
        verdicts.*,
        delays.months_behind,
        starts_with(verdicts.unit, '%') as is_percentage,
        verdicts.unit = 'milestone 0/1' as is_done_or_not,
        case
            when starts_with(verdicts.unit, '%') then 1
            when greatest(abs(verdicts.value), abs(verdicts.required_value), abs(verdicts.target_value)) >= 100 then 0
            else 2
        end as digits
    from verdicts
    left join delays
        on verdicts.target_id = delays.target_id

),

with_texts as (

    select
        *,
        case when is_percentage then ' %' else '' end as suffix,
        case when is_percentage then ' procentpunt' else '' end as gap_suffix,
        case
            when is_done_or_not then case when value >= 1 then 'klaar' else 'nog niet klaar' end
            else {{ dutch_number('value', 'digits') }}
        end as value_text,
        {{ dutch_number('required_value', 'digits') }} as required_text,
        {{ dutch_number('target_value', 'digits') }} as target_text,
        {{ dutch_number('abs(gap)', 'digits') }} as gap_text,
        {{ dutch_number('required_pace_per_year', 'digits') }} as required_pace_text,
        {{ dutch_number('recent_pace_per_year', 'digits') }} as recent_pace_text,
        {{ dutch_number('forecast_value', 'digits') }} as forecast_text,
        {{ dutch_number('tolerance', 'digits') }} as tolerance_text,
        case
            when p_reach < 0.01 then 'minder dan 1 %'
            when p_reach > 0.99 then 'meer dan 99 %'
            else {{ dutch_number('100 * p_reach', 0) }} || ' %'
        end as chance_text,
        case
            when months_behind >= 36 then {{ dutch_number('months_behind / 12', 1) }} || ' jaar'
            when round(months_behind) = 1 then '1 maand'
            else {{ dutch_number('months_behind', 0) }} || ' maanden'
        end as delay_text
    from with_digits

),

worded as (

    select
        *,
        case
            when is_done_or_not and status in ('reached', 'overdue') then 'step_' || status
            when status = 'reached' and direction = 'at_most' then 'within'
            when status = 'no_data' and value is not null then 'no_data_since_start'
            when status = 'stale' and folded_status = 'monitored' then 'stale_monitored'
            when status not in ('on_track', 'at_risk', 'behind') then status
            when trajectory = 'step' then 'step'
            when required_value is null then 'monitored'
            when gap_text = '0' then 'on_path'
            when series_kind = 'rare_count' and status = 'on_track' and gap < 0 then 'by_chance'
            when trajectory = 'constant' and tolerance > 0 then 'norm'
            else 'off_path'
        end as template_id,
        case
            when direction_sign = 1 and gap < 0 then 'te weinig'
            when direction_sign = 1 then 'meer dan gevraagd'
            when gap < 0 then 'te veel'
            else 'beter dan gevraagd'
        end as gap_words,
        status in ('on_track', 'at_risk', 'behind') and gap < 0 and round(months_behind) >= 1 as says_delay,
        status in ('on_track', 'at_risk', 'behind')
        and required_pace_per_year is not null
        and recent_pace_per_year is not null as says_pace,
        is_start_measured and status in ('on_track', 'at_risk', 'behind') and required_value is not null as says_start,
        -- the newest value wants another status than the one that stands: once is too little, or its month still runs
        case
            when
                status = folded_status
                and status in ('on_track', 'at_risk', 'behind')
                and wanted_status in ('on_track', 'at_risk', 'behind')
                and wanted_status != status
                then case when is_running then 'wait_month' else 'wait' end
        end as wait_template_id
    from with_texts

),

with_outlook as (

    select
        *,
        says_pace
        and target_date is not null
        and forecast_value is not null
        -- a straight line that runs past what can be is no outlook
        and (forecast_value >= 0 or value < 0)
        and not (is_percentage and abs(forecast_value) > 100) as says_outlook
    from worded

)

select
    worded.target_id,
    worded.kpi_id,
    worded.value_kpi_id,
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
    worded.baseline_date,
    worded.is_start_measured,
    worded.target_value,
    worded.target_date,
    worded.required_value,
    worded.gap,
    worded.progress,
    worded.time_share,
    round(worded.attainment, 6) as spi,
    worded.months_behind,
    worded.recent_pace_per_year,
    worded.required_pace_per_year,
    worded.pace_ratio,
    worded.acceleration,
    worded.forecast_value,
    worded.forecast_low,
    worded.forecast_high,
    worded.p_reach,
    worded.is_indicative,
    worded.status,
    status_labels.label_nl as status_nl,
    worded.folded_status as last_status,
    worded.status_since,
    worded.history_hash,
    {{ fill_template(
        "(sentence_templates.template_nl"
        ~ " || case when worded.says_start then start_templates.template_nl else '' end"
        ~ " || case when worded.says_delay then delay_templates.template_nl else '' end"
        ~ " || case when worded.says_pace then pace_templates.template_nl else '' end"
        ~ " || case when worded.says_outlook then outlook_templates.template_nl else '' end"
        ~ " || case when worded.says_outlook and worded.p_reach is not null"
        ~ " then chance_templates.template_nl else '' end"
        ~ " || coalesce(wait_templates.template_nl, ''))", {
        'title': 'worded.title_nl',
        'value': 'worded.value_text || worded.suffix',
        'tolerance': 'worded.tolerance_text || worded.gap_suffix',
        'forecast': 'worded.forecast_text || worded.suffix',
        'chance': 'worded.chance_text',
        'required': 'worded.required_text || worded.suffix',
        'target': 'worded.target_text || worded.suffix',
        'start_date': "strftime(worded.baseline_date, '%d/%m/%Y')",
        'target_date': "strftime(worded.target_date, '%d/%m/%Y')",
        'ref_date': "strftime(worded.ref_date, '%d/%m/%Y')",
        'gap': 'worded.gap_text || worded.gap_suffix',
        'words': 'worded.gap_words',
        'delay': 'worded.delay_text',
        'required_pace': 'worded.required_pace_text || worded.gap_suffix',
        'recent_pace': 'worded.recent_pace_text || worded.gap_suffix',
        'status': 'status_labels.label_nl',
        'last_status': 'last_labels.label_nl',
    }) }} as sentence_nl,
    comparisons.eurostat_ratio,
    comparisons.eurostat_label,
    comparisons.unsd_ratio,
    comparisons.unsd_label,
    comparisons.destatis_miss,
    comparisons.destatis_label,
    worded.dq_verdict,
    worded.dq_reasons,
    worded.completeness,
    worded.is_binding,
    worded.is_public,
    worded.is_contested,
    worded.definition_version,
    worded.build_id,
    worded.known_at
from with_outlook as worded
left join comparisons
    on worded.target_id = comparisons.target_id
left join status_labels
    on worded.status = status_labels.status
left join status_labels as last_labels
    on worded.folded_status = last_labels.status
left join sentence_templates
    on worded.template_id = sentence_templates.template_id
left join sentence_templates as start_templates
    on start_templates.template_id = 'start'
left join sentence_templates as delay_templates
    on delay_templates.template_id = 'delay'
left join sentence_templates as pace_templates
    on pace_templates.template_id = 'pace'
left join sentence_templates as outlook_templates
    on outlook_templates.template_id = 'outlook'
left join sentence_templates as chance_templates
    on chance_templates.template_id = 'chance'
left join sentence_templates as wait_templates
    on worded.wait_template_id = wait_templates.template_id
order by worded.target_id
