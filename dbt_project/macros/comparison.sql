{#- The published rules, beside our own verdict. `at` is the alias of a row with baseline, value and target. -#}

{#- A compound rate between two values is only a rate when both are above zero. -#}
{% macro yearly_rate(from_value, to_value, years) -%}
    case
        when {{ from_value }} > 0 and {{ to_value }} > 0 and {{ years }} > 0
            then pow({{ to_value }} / {{ from_value }}, 1.0 / {{ years }}) - 1
    end
{%- endmacro %}

{#- Eurostat with a target: the observed yearly rate over the one asked from the base year. -#}
{% macro eurostat_ratio() -%}
    direction_sign * ({{ yearly_rate('baseline_value', 'positions.value', 'years_done') }})
    / nullif(abs({{ yearly_rate('baseline_value', 'target_value', 'years_in_all') }}), 0)
{%- endmacro %}

{% macro eurostat_label() -%}
    case
        when eurostat_ratio is null then null
        when direction_sign * (value - target_value) >= 0 then 'achieved'
        when eurostat_ratio >= 0.95 then 'significant progress'
        when eurostat_ratio >= 0.60 then 'moderate progress'
        when eurostat_ratio >= 0 then 'insufficient progress'
        else 'movement away'
    end
{%- endmacro %}

{#- The progress chart of the United Nations: where today's rate ends, over where it should. -#}
{% macro unsd_ratio() -%}
    case
        when baseline_value > 0 and positions.value > 0 and years_done > 0 and years_left >= 0
            then
                (positions.value * pow(positions.value / baseline_value, years_left / years_done) - baseline_value)
                / nullif(target_value - baseline_value, 0)
    end
{%- endmacro %}

{% macro unsd_label() -%}
    case
        when unsd_ratio is null then null
        when direction_sign * (value - target_value) >= 0 or unsd_ratio >= 0.95 then 'met or on track'
        when unsd_ratio >= 0.10 then 'fair progress, acceleration needed'
        else 'limited or no progress'
    end
{%- endmacro %}

{#- Destatis: the mean change of the last five years goes on; what it misses, over what was left to do. -#}
{% macro destatis_miss() -%}
    case
        when five_year_pace is not null and years_left >= 0 and target_value != value
            then greatest(0.0, 1 - five_year_pace * years_left / (target_value - value))
    end
{%- endmacro %}

{% macro destatis_label() -%}
    case
        when destatis_miss is null then null
        when destatis_miss > 1 then 'thunderstorm'
        when destatis_miss > 0.20 then 'cloud'
        when destatis_miss >= 0.05 then 'slightly cloudy'
        else 'sun'
    end
{%- endmacro %}
