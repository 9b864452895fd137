{#- The version of the rules by which a target is judged. Whoever makes them judge the same figures otherwise raises it:
    what changes with it is the rules' doing, and is told as such. -#}
{% macro method_version() -%} 4 {%- endmacro %}

{#- The score of one evaluation taken alone, in the order of the rules. Columns of int_target_forecasts. -#}
{% macro raw_status() -%}
    case
        when ref_date < baseline_date then 'not_started'
        -- the figure of the start is where the way begins, and no part of it
        when
            ref_date = baseline_date
            and not is_start_measured
            and trajectory not in ('constant', 'annual_quota', 'step', 'none')
            then 'not_started'
        when target_value is null then 'monitored'
        when is_met then 'reached'
        when ref_date > target_date then 'overdue'
        when required_value is null then 'monitored'
        when trajectory = 'step' then case when time_share >= 0.75 then 'at_risk' else 'on_track' end
        when series_kind = 'rare_count' then {{ rare_count_status() }}
        when p_reach is not null then {{ probability_status('p_reach', moves_slowly('method', 'trajectory')) }}
        when trajectory = 'constant' then {{ floor_status() }}
        when expected_attainment is not null then {{ attainment_status('expected_attainment') }}
        -- the path asks nothing yet
        when attainment is null then case when gap >= -tolerance then 'on_track' else 'at_risk' end
        when gap >= -tolerance then 'on_track'
        else {{ attainment_status('attainment') }}
    end
{%- endmacro %}

{#- One lucky year reaches nothing: rare events are counted over three years. A yearly rate without an end is never
    reached for good. -#}
{% macro is_met() -%}
    coalesce(
        case
            when series_kind = 'rare_count' then direction_sign * (three_years - 3 * target_value) >= 0
            else direction_sign * (coalesce(year_share, value) - target_value) >= 0 and not (trajectory = 'compound' and target_date is null)
        end,
        false
    )
{%- endmacro %}

{% macro probability_status(p, is_slow) -%}
    case
        when {{ p }} >= 0.5 then 'on_track'
        when {{ p }} >= {{ chance_limit('enter_behind', is_slow) }} then 'at_risk'
        else 'behind'
    end
{%- endmacro %}

{#- Twelve months of answers to a norm share eleven with the next; a few large works say something new a few times in all. -#}
{% macro moves_slowly(method, trajectory) -%} ({{ method }} = 'wilson' or {{ trajectory }} = 'project_steps') {%- endmacro %}

{#- The chances at which a status is entered or left; for what moves slowly they lie farther apart. -#}
{% macro chance_limit(which, is_slow) -%}
    {%- set limits = {
        'enter_on_track': (0.65, 0.85), 'leave_on_track': (0.35, 0.20),
        'enter_behind': (0.15, 0.05), 'leave_behind': (0.20, 0.35)
    }[which] -%}
    case when {{ is_slow }} then {{ limits[1] }} else {{ limits[0] }} end
{%- endmacro %}

{#- A figure of a year goes down at once under this chance: a second one would come a year too late. -#}
{% macro sure_chance() -%} 0.05 {%- endmacro %}

{#- Fewer answers, over twelve months together, change no status. -#}
{% macro least_answers() -%} 100 {%- endmacro %}

{#- How many evaluations in a row must want to go the same way. -#}
{% macro evaluations_needed(is_slow, is_yearly_figure) -%}
    case when {{ is_slow }} and not {{ is_yearly_figure }} then 3 else 2 end
{%- endmacro %}

{#- The first day on which something can be behind: a year of answers, quotas and norms; two years of a programme, for
    nobody sees in less that a pace changes. -#}
{% macro patient_until(path, known_since) -%}
    case
        when {{ path }}.trajectory in ('constant', 'annual_quota', 'step', 'none') or {{ path }}.series_kind = 'rare_count'
            then {{ known_since }} + 365
        when {{ path }}.series_kind = 'event'
            then (coalesce({{ path }}.baseline_date, {{ known_since }}) + interval 24 months)::date
        else ({{ known_since }} + interval 24 months)::date
    end
{%- endmacro %}

{#- Three years together say something of rare events; one year never does. -#}
{% macro rare_count_status() -%}
    case
        when p_reach is null then 'monitored'
        when p_reach >= 0.1 then 'on_track'
        when p_reach >= 0.05 then 'at_risk'
        else 'behind'
    end
{%- endmacro %}

{#- The limits Eurostat uses, where no interval says how sure a forecast is. -#}
{% macro attainment_status(attainment) -%}
    case
        when {{ attainment }} >= 0.95 then 'on_track'
        when {{ attainment }} >= 0.60 then 'at_risk'
        else 'behind'
    end
{%- endmacro %}

{% macro floor_status() -%}
    case when gap >= -tolerance then 'on_track' when gap >= -2 * tolerance then 'at_risk' else 'behind' end
{%- endmacro %}

{% macro is_score(status) -%}
    {{ status }} in ('on_track', 'at_risk', 'behind')
{%- endmacro %}

{#- What can be better or worse than another; the other statuses say that nothing is judged. -#}
{% macro is_ranked(status) -%}
    {{ status }} in ('reached', 'on_track', 'at_risk', 'behind')
{%- endmacro %}

{#- The margin of a norm for which the registry gives none: figures that read the same are the same. -#}
{% macro default_margin(series_kind, target_value) -%}
    case {{ series_kind }} when 'share' then 1.0 when 'level' then abs({{ target_value }}) / 100 else 0.0 end
{%- endmacro %}

{#- What an evaluation would make of the status that stands: harder to leave than to keep. -#}
{% macro proposed_status(standing, raw, p, method, is_slow, may_be_behind) -%}
    case
        when not ({{ is_score(raw) }} and {{ is_score(standing) }}) or {{ p }} is null or {{ method }} = 'poisson'
            then {{ raw }}
        when {{ standing }} = 'on_track' and {{ p }} >= {{ chance_limit('leave_on_track', is_slow) }} then 'on_track'
        when {{ standing }} != 'on_track' and {{ p }} >= {{ chance_limit('enter_on_track', is_slow) }} then 'on_track'
        when
            {{ may_be_behind }}
            and (
                {{ p }} < {{ chance_limit('enter_behind', is_slow) }}
                or ({{ standing }} = 'behind' and {{ p }} < {{ chance_limit('leave_behind', is_slow) }})
            )
            then 'behind'
        else 'at_risk'
    end
{%- endmacro %}

{% macro status_rank(status) -%}
    case {{ status }} when 'reached' then 4 when 'on_track' then 3 when 'at_risk' then 2 when 'behind' then 1 end
{%- endmacro %}
