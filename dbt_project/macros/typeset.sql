{#- What the registry types as CO2 and -40%, as it is printed: CO₂ and −40 %. -#}
{% macro typeset(text) -%}
    regexp_replace(
        regexp_replace(replace({{ text }}, 'CO2', 'CO₂'), '(^|[ (])-([0-9])', '\1−\2', 'g'), '([0-9])%', '\1 %', 'g'
    )
{%- endmacro %}
