{%- set parts_by_row = ['today', 'pace', 'needed', 'needed_pace', 'outlook', 'attention', 'wait', 'beside'] %}
{%- set parts_of_one_wording = [
    'start', 'delay', 'recent_pace', 'band', 'chance', 'vague', 'year_share', 'plan_unknown', 'no_end', 'unmeasured',
    'dispute'
] %}
{#- the whole, and the parts of it that a message tells apart -#}
{%- set texts = ['sentence', 'what', 'needed', 'remark'] %}
with verdicts as (

    select * from {{ ref('int_target_verdicts') }}
    where other_reading_of is null

),

disputes as (

    select * from {{ ref('int_target_disputes') }}

),

stories as (

    select * from {{ ref('int_target_stories') }}

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

unit_labels as (

    select * from {{ ref('unit_labels') }}

),

sentence_templates as (

    select * from {{ ref('sentence_templates') }}

),

-- a sentence says counts whole, percentages with one decimal and small ratios with two
with_digits as (

    select
        verdicts.*,
        delays.months_behind,
        coalesce(disputes.is_disputed, false) as is_disputed,
        coalesce(disputes.n_readings, 1) as n_readings,
        disputes.is_late_in_one,
        disputes.readings_nl,
        disputes.questions_nl,
        disputes.may_decide_nl,
        stories.is_first_of_story,
        stories.may_alarm and stories.is_first_of_story as is_alarm,
        stories.others_nl,
        starts_with(verdicts.unit, '%') as is_percentage,
        verdicts.unit = 'milestone 0/1' as is_done_or_not,
        case
            when starts_with(verdicts.unit, '%') then 1
            when greatest(abs(verdicts.value), abs(verdicts.required_value), abs(verdicts.target_value)) >= 100 then 0
            else 2
        end as digits,
        case when abs(verdicts.required_pace_per_year) >= 120 then 0 else 1 end as month_digits
    from verdicts
    left join delays
        on verdicts.target_id = delays.target_id
    -- another wording of a target is open where the target is
    left join disputes
        on coalesce(verdicts.alias_of, verdicts.target_id) = disputes.target_id
    left join stories
        on verdicts.target_id = stories.target_id

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
        {{ dutch_number('reached_value', 'digits') }} as reached_text,
        {{ dutch_number('doubted_value', 2) }} as doubted_text,
        {{ dutch_number('beside_value', 'digits') }} as beside_text,
        {{ dutch_number('required_value', 'digits') }} as required_text,
        {{ dutch_number('required_today', 'digits') }} as required_today_text,
        {{ dutch_number('target_value', 'digits') }} as target_text,
        {{ dutch_number('abs(gap)', 'digits') }} as gap_text,
        {{ dutch_number('required_pace_per_year', 'digits') }} as required_pace_text,
        {{ dutch_number('recent_pace_per_year', 'digits') }} as recent_pace_text,
        {{ dutch_number('forecast_value', 'digits') }} as forecast_text,
        {{ dutch_number('forecast_low', 'digits') }} as forecast_low_text,
        {{ dutch_number('forecast_high', 'digits') }} as forecast_high_text,
        -- where figures come by the month and a month asks for one or more, a month is what one can act on
        not is_percentage and cadence_days <= 31 and abs(required_pace_per_year) >= 12 as is_monthly,
        {{ dutch_number('required_pace_per_year / 12', 'month_digits') }} as required_month_text,
        {{ dutch_number('recent_pace_per_year / 12', 'month_digits') }} as recent_month_text,
        {{ dutch_number('abs(target_value - value)', 'digits') }} as rest_text,
        {{ dutch_number('tolerance', 'digits') }} as tolerance_text,
        {{ dutch_number('target_value - value', 'digits') }} as left_text,
        {{ dutch_number('year_share', 'digits') }} as year_share_text,
        -- no finer than what came true of such chances: docs/judging.md
        case
            when p_reach < 0.1 then 'minder dan 1 op 10'
            when p_reach > 0.9 then 'meer dan 9 op 10'
            else 'ongeveer ' || {{ dutch_number('10 * p_reach', 0) }} || ' op 10'
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
            when is_done_or_not and status in ('reached', 'overdue', 'awaiting_figure', 'stale') then 'step_' || status
            when status = 'reached' and series_kind = 'rare_count' then 'reached_rare'
            when status = 'reached' and direction_sign * (value - target_value) < 0 then 'reached_fallen'
            when status = 'reached' and direction = 'at_most' then 'within'
            when status = 'reached' and is_sticky and reached_on < ref_date then 'reached_before'
            when status = 'stale' and trajectory = 'annual_quota' and year(ref_date) < year(as_of_date)
                then 'stale_quota'
            when status = 'unverified' and doubt_nl is not null and value is null then 'doubted_alone'
            when status = 'unverified' and doubt_nl is not null then 'doubted'
            when status = 'no_data' and value is not null then 'no_data_since_start'
            when status = 'stale' and folded_status = 'monitored' then 'stale_monitored'
            when status not in ('on_track', 'at_risk', 'behind') then status
            when trajectory = 'step' then 'step'
            when required_value is null then 'monitored'
            when trajectory = 'constant' and tolerance > 0 then 'norm'
            when gap_text = '0' then 'on_path'
            when series_kind = 'rare_count' and status = 'on_track' and gap < 0 then 'by_chance'
            else 'off_path'
        end
        -- judged by its deadline although nobody knows the figure of that day
        || case when status = 'overdue' and ref_date < target_date then '_unknown' else '' end as template_id,
        gap_text || gap_suffix || case
            when gap_text = '0' then ''
            when direction_sign = 1 and gap < 0 then ' te weinig'
            when direction_sign = 1 then ' meer dan gevraagd'
            when starts_with(unit, '% change') and gap < 0 then ' te weinig gedaald'
            when starts_with(unit, '% change') then ' meer gedaald dan gevraagd'
            when series_kind in ('event', 'rare_count') and gap < 0 then ' te veel'
            when series_kind in ('event', 'rare_count') then ' minder dan gevraagd'
            when gap < 0 then ' te hoog'
            else ' lager dan gevraagd'
        end as gap_nl,
        status in ('on_track', 'at_risk', 'behind') and required_value is not null as is_held_to_path
    from with_texts

),

-- what is said beside where it stands: each part speaks of a day that it names
with_parts as (

    select
        *,
        is_held_to_path and is_start_measured as says_start,
        is_held_to_path and gap < 0 and round(months_behind) >= 1 as says_delay,
        case
            when
                is_held_to_path
                and trajectory not in ('constant', 'step')
                and as_of_date > ref_date
                and required_today is not null
                then case when required_today_text = required_text then 'today_same' else 'today' end
        end as today_template_id,
        -- what is there already needs no pace
        case
            when not is_held_to_path or coalesce(direction_sign * required_pace_per_year, 0) <= 0 then null
            when series_kind = 'rare_count' then null
            when trajectory = 'annual_quota' then 'pace_quota'
            when target_date is null then 'pace_open'
            else 'pace'
        end as pace_template_id,
        is_held_to_path and recent_pace_per_year is not null and trajectory != 'constant' as says_recent_pace,
        is_held_to_path and year_share is not null as says_year_share,
        is_held_to_path and coalesce(is_vague, false) as says_vague,
        is_held_to_path
        and gap < 0
        and status != 'on_track'
        and coalesce(is_plan_unknown, false) as says_plan_unknown,
        target_value is not null
        and target_date is null
        and trajectory not in ('constant', 'annual_quota', 'compound')
        and status not in ('cancelled', 'contested', 'reached') as says_no_end,
        empty_reason_nl is not null and status not in ('cancelled', 'contested') as says_unmeasured,
        is_disputed and status not in ('cancelled', 'contested') as says_dispute,
        case
            when value is null or status in ('cancelled', 'contested') then null
            when beside_value is not null then 'beside'
            when beside_reason_nl is not null then 'beside_none'
        end as beside_template_id,
        -- the newest value wants another status than the one that stands: once is too little, or its month still runs
        case
            when
                status = folded_status
                and {{ is_ranked('status') }}
                and {{ is_ranked('wanted_status') }}
                and wanted_status != status
                then
                    case
                        when is_running then 'wait_month' when year_share is not null then 'wait_share' else 'wait'
                    end
        end as wait_template_id,
        -- why it is at risk: the first that holds
        case
            when is_disputed and (is_late_in_one or status = 'at_risk') then 'attention_disputed'
            when status != 'at_risk' then null
            when trajectory = 'step' then 'attention_due'
            when gap is not null and not may_be_behind and judged_gap < -coalesce(tolerance, 0) then 'attention_young'
            when wanted_status = 'behind' then 'attention_once_behind'
            when wanted_status in ('on_track', 'reached') then 'attention_once_better'
            when year_share is not null then 'attention_norm_year'
            when trajectory = 'constant' and p_reach is not null then 'attention_norm_unsure'
            when trajectory = 'constant' then 'attention_norm'
            when is_vague then 'attention_vague'
            when gap >= 0 then 'attention_ahead'
            when p_reach is not null and forecast_low is not null then 'attention_chance'
            else 'attention_pace'
        end as attention_template_id
    from worded

),

with_outlook as (

    select
        *,
        case
            when
                says_recent_pace
                and target_date is not null
                and forecast_value is not null
                -- a straight line that runs past what can be is no outlook
                and (forecast_value >= 0 or value < 0)
                and not (is_percentage and abs(forecast_value) > 100)
                then case when is_bent then 'outlook_plan' else 'outlook' end
        end as outlook_template_id,
        case
            when value is null or not (is_held_to_path or status in ('behind', 'at_risk', 'overdue')) then null
            when is_done_or_not and value < 1 then case when status = 'overdue' then 'done_late' else 'done' end
            when pace_template_id = 'pace' and is_monthly then 'pace_month'
            when pace_template_id is not null then pace_template_id
            -- a yearly rate is no value to go to
            when direction_sign * (target_value - value) > 0 and trajectory != 'compound' then 'rest'
        end as needed_template_id,
        case
            when says_recent_pace and is_monthly then 'recent_pace_month'
            when says_recent_pace then 'recent_pace'
            when status = 'overdue' and not is_done_or_not and recent_pace_per_year is not null then 'recent_pace'
        end as needed_pace_template_id
    from with_parts

),

with_template as (

    select
        worded.*,
        status_labels.label_nl as status_nl,
        status_labels.label_en as status_en,
        last_labels.label_nl as last_status_nl,
        sentence_templates.template_nl || concat(
            case when worded.says_start then start_templates.template_nl end,
            case when worded.says_delay then delay_templates.template_nl end,
            today_templates.template_nl,
            pace_templates.template_nl,
            case when worded.says_recent_pace then recent_pace_templates.template_nl end,
            outlook_templates.template_nl,
            -- a chance is as sure as the interval it comes from
            case
                when worded.outlook_template_id is not null and worded.p_reach + worded.forecast_low is not null
                    then chance_templates.template_nl
            end,
            case when worded.says_vague then vague_templates.template_nl end,
            case when worded.says_year_share then year_share_templates.template_nl end,
            case when worded.says_plan_unknown then plan_unknown_templates.template_nl end,
            wait_templates.template_nl,
            beside_templates.template_nl,
            case when worded.says_no_end then no_end_templates.template_nl end,
            case when worded.says_unmeasured then unmeasured_templates.template_nl end,
            case when worded.says_dispute then dispute_templates.template_nl end
        ) as sentence_template,
        concat(
            sentence_templates.template_nl, case when worded.says_delay then delay_templates.template_nl end
        ) as what_template,
        concat(
            needed_templates.template_nl,
            needed_pace_templates.template_nl,
            outlook_templates.template_nl,
            case
                when worded.outlook_template_id is not null and worded.forecast_low + worded.forecast_high is not null
                    then band_templates.template_nl
            end,
            case
                when worded.outlook_template_id is not null and worded.p_reach + worded.forecast_low is not null
                    then chance_templates.template_nl
            end,
            case when worded.says_vague then vague_templates.template_nl end
        ) as needed_template,
        concat(
            case when worded.says_start then start_templates.template_nl end,
            case when worded.says_year_share then year_share_templates.template_nl end,
            case when worded.says_plan_unknown then plan_unknown_templates.template_nl end,
            wait_templates.template_nl,
            beside_templates.template_nl,
            case when worded.says_no_end then no_end_templates.template_nl end,
            case when worded.says_unmeasured then unmeasured_templates.template_nl end
        ) as remark_template,
        attention_templates.template_nl as attention_template
    from with_outlook as worded
    left join status_labels
        on worded.status = status_labels.status
    left join status_labels as last_labels
        on worded.folded_status = last_labels.status
    left join sentence_templates
        on worded.template_id = sentence_templates.template_id
    {% for part in parts_by_row %}
    left join sentence_templates as {{ part }}_templates
        on worded.{{ part }}_template_id = {{ part }}_templates.template_id
    {% endfor %}
    {% for part in parts_of_one_wording %}
    left join sentence_templates as {{ part }}_templates
        on {{ part }}_templates.template_id = '{{ part }}'
    {% endfor %}

),

-- what only this text says
with_needed as (

    select * replace ({{ fill_template('needed_template', {
            'forecast_low': 'forecast_low_text || suffix',
            'forecast_high': 'forecast_high_text || suffix',
            'required_month': 'required_month_text',
            'recent_month': 'recent_month_text',
            'rest': 'rest_text || gap_suffix',
            'more': "case when direction_sign = 1 then 'erbij' else 'eraf' end",
        }) }} as needed_template)
    from with_template

),

dated as (

    select
        *,
        {% for text in texts %}
        {{ fill_template(text ~ '_template', {
            'start_date': "strftime(baseline_date, '%d/%m/%Y')",
            'target_date': "strftime(target_date, '%d/%m/%Y')",
            'ref_date': "strftime(ref_date, '%d/%m/%Y')",
            'as_of_date': "strftime(as_of_date, '%d/%m/%Y')",
            'year_end': "strftime(make_date(year(as_of_date), 12, 31), '%d/%m/%Y')",
            'doubted_on': "strftime(doubted_on, '%d/%m/%Y')",
            'doubt': 'doubt_nl',
            'reached_on': "strftime(reached_on, '%d/%m/%Y')",
            'ref_year': 'year(ref_date)::varchar',
            'as_of_year': 'year(as_of_date)::varchar',
            'last_status': 'last_status_nl',
            'reason': 'deprecated_reason',
            'questions': 'questions_nl',
            'readings': 'readings_nl',
            'may_decide': 'may_decide_nl',
            'empty_reason': 'empty_reason_nl',
            'beside_reason': 'beside_reason_nl',
            'beside_date': "strftime(beside_date, '%d/%m/%Y')",
        }) }} as dated_{{ text }},
        {% endfor %}
        {{ fill_template('attention_template', {
            'target_date': "strftime(target_date, '%d/%m/%Y')",
            'ref_date': "strftime(ref_date, '%d/%m/%Y')",
            'required': 'required_text || suffix',
            'chance': 'chance_text',
            'year_share': 'year_share_text || suffix',
            'readings': 'readings_nl',
            'may_decide': 'may_decide_nl',
        }) }} as attention_nl
    from with_needed

)

select
    dated.target_id,
    dated.kpi_id,
    dated.value_kpi_id,
    dated.department_id,
    dated.data_owner_department_id,
    dated.section,
    dated.title_nl,
    dated.title_en,
    dated.unit,
    unit_labels.label_nl as unit_nl,
    unit_labels.label_en as unit_en,
    dated.direction,
    dated.as_of_date,
    dated.as_of_date as date_key,
    dated.ref_date,
    dated.complete_until,
    dated.value,
    dated.baseline_value,
    dated.baseline_date,
    dated.is_start_measured,
    dated.target_value,
    dated.target_date,
    dated.required_value,
    dated.required_today,
    -- as far from a norm as its margin allows
    case
        when dated.trajectory = 'constant' and dated.tolerance > 0
            then round(dated.required_value - dated.direction_sign * dated.tolerance, 6)
    end as limit_value,
    dated.gap,
    case when dated.is_done_or_not then dated.value_text else {{ amount('dated.value_text', 'unit_labels') }} end
        as value_nl,
    case
        when dated.is_done_or_not then 'klaar'
        -- a yearly rate without an end
        when dated.trajectory = 'compound' and dated.target_date is null then dated.target_text || ' % per jaar'
        else {{ amount('dated.target_text', 'unit_labels') }}
    end as target_nl,
    case when not dated.is_done_or_not then {{ amount('dated.required_text', 'unit_labels') }} end as required_nl,
    case
        when not dated.is_done_or_not then {{ amount('dated.required_today_text', 'unit_labels') }}
    end as required_today_nl,
    dated.gap_nl,
    dated.attention_nl,
    dated.progress,
    dated.time_share,
    round(dated.attainment, 6) as spi,
    dated.months_behind,
    dated.recent_pace_per_year,
    dated.required_pace_per_year,
    dated.pace_ratio,
    dated.acceleration,
    dated.forecast_value,
    dated.forecast_low,
    dated.forecast_high,
    dated.p_reach,
    dated.is_indicative,
    dated.status,
    dated.status_nl,
    dated.status_en,
    dated.folded_status as last_status,
    dated.status_since,
    dated.reached_on,
    dated.reached_value,
    dated.history_hash,
    {% for text in texts %}
    nullif(ltrim({{ fill_template('dated.dated_' ~ text, {
        'title': 'dated.title_nl',
        'value': 'dated.value_text || dated.suffix',
        'tolerance': 'dated.tolerance_text || dated.gap_suffix',
        'forecast': 'dated.forecast_text || dated.suffix',
        'chance': 'dated.chance_text',
        'year_share': 'dated.year_share_text || dated.suffix',
        'required': 'dated.required_text || dated.suffix',
        'reached_value': 'dated.reached_text || dated.suffix',
        'doubted_value': 'dated.doubted_text || dated.suffix',
        'fallen': "case when dated.direction_sign = 1 then 'lager' else 'hoger' end",
        'required_today': 'dated.required_today_text || dated.suffix',
        'target': 'dated.target_text || dated.suffix',
        'beside': 'dated.beside_text || dated.suffix',
        'gap': 'dated.gap_nl',
        'left': 'dated.left_text || dated.gap_suffix',
        'delay': 'dated.delay_text',
        'required_pace': 'dated.required_pace_text || dated.gap_suffix',
        'recent_pace': 'dated.recent_pace_text || dated.gap_suffix',
    }) }}), '') as {{ text }}_nl,
    {% endfor %}
    dated.says_no_end as is_open_ended,
    dated.is_disputed,
    dated.n_readings,
    dated.readings_nl,
    dated.questions_nl,
    dated.may_decide_nl,
    dated.story_id,
    dated.others_nl as story_nl,
    coalesce(dated.is_first_of_story, false) as is_first_of_story,
    coalesce(dated.is_alarm, false) as is_alarm,
    dated.beside_kpi_id,
    dated.beside_date,
    dated.beside_value,
    comparisons.eurostat_ratio,
    comparisons.eurostat_label,
    comparisons.unsd_ratio,
    comparisons.unsd_label,
    comparisons.destatis_miss,
    comparisons.destatis_label,
    dated.dq_verdict,
    nullif(array_to_string(dated.dq_reasons, '; '), '') as dq_reasons,
    dated.completeness,
    dated.is_binding,
    dated.is_public,
    dated.is_contested,
    dated.definition_version,
    {{ method_version() }}::bigint as method_version,
    dated.build_id,
    dated.known_at
from dated
left join comparisons
    on dated.target_id = comparisons.target_id
left join unit_labels
    on dated.unit = unit_labels.unit
order by dated.target_id
