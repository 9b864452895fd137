{#- The version of the rules by which a target is judged. Whoever makes them judge the same figures otherwise raises it:
    what changes with it is the rules' doing, and is told as such. -#}
{% macro method_version() -%} 3 {%- endmacro %}

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
        when p_reach is not null then {{ probability_status('p_reach') }}
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
            else direction_sign * (value - target_value) >= 0 and not (trajectory = 'compound' and target_date is null)
        end,
        false
    )
{%- endmacro %}

{% macro probability_status(p) -%}
    case when {{ p }} >= 0.5 then 'on_track' when {{ p }} >= 0.05 then 'at_risk' else 'behind' end
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
{% macro proposed_status(standing, raw, p, series_kind, may_be_behind) -%}
    case
        when not ({{ is_score(raw) }} and {{ is_score(standing) }}) or {{ p }} is null or {{ series_kind }} = 'rare_count'
            then {{ raw }}
        when {{ standing }} = 'on_track' and {{ p }} >= 0.35 then 'on_track'
        when {{ standing }} != 'on_track' and {{ p }} >= 0.65 then 'on_track'
        when {{ may_be_behind }} and ({{ p }} < 0.05 or ({{ standing }} = 'behind' and {{ p }} < 0.15)) then 'behind'
        else 'at_risk'
    end
{%- endmacro %}

{% macro status_rank(status) -%}
    case {{ status }} when 'reached' then 4 when 'on_track' then 3 when 'at_risk' then 2 when 'behind' then 1 end
{%- endmacro %}
