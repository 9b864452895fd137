{#- Where the path of a target stands on a date.
    tau is the elapsed share of the window, between 0 and 1. -#}
{% macro time_share(baseline_date, target_date, ref_date) -%}
    least(1.0, greatest(0.0,
        date_diff('day', {{ baseline_date }}, {{ ref_date }})::double
        / nullif(date_diff('day', {{ baseline_date }}, {{ target_date }}), 0)
    ))
{%- endmacro %}

{#- Year and elapsed share of it, so that a path by calendar year is exact on 31 December. -#}
{% macro fractional_year(date_column) -%}
    (year({{ date_column }}) + {{ share_of_year(date_column) }})
{%- endmacro %}

{% macro share_of_year(date_column) -%}
    (dayofyear({{ date_column }})::double / dayofyear(make_date(year({{ date_column }}), 12, 31)))
{%- endmacro %}

{#- compound without a deadline: `target_value` is a yearly rate in percent and the value a change since the
    baseline date; compound with a deadline goes from value to value. -#}
{% macro trajectory_value(trajectory, baseline_value, baseline_date, target_value, target_date, ref_date) -%}
    case {{ trajectory }}
        when 'constant' then {{ target_value }}
        when 'annual_quota' then {{ target_value }} * {{ share_of_year(ref_date) }}
        when 'step' then
            case when {{ ref_date }} >= {{ target_date }} then {{ target_value }} else {{ baseline_value }} end
        when 'compound' then
            case
                when {{ target_date }} is null
                    then
                        100 * (
                            pow(
                                1 + {{ target_value }} / 100,
                                greatest(0, {{ fractional_year(ref_date) }} - {{ fractional_year(baseline_date) }})
                            ) - 1
                        )
                when {{ baseline_value }} * {{ target_value }} > 0
                    then
                        {{ baseline_value }} * pow(
                            {{ target_value }} / {{ baseline_value }},
                            {{ time_share(baseline_date, target_date, ref_date) }}
                        )
            end
        when 'none' then null
        else
            {{ baseline_value }} + ({{ target_value }} - {{ baseline_value }})
            * {{ time_share(baseline_date, target_date, ref_date) }}
    end
{%- endmacro %}
