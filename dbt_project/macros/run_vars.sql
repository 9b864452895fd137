{#- A var is raw text in SQL: only what is plainly a date or a city name may pass. -#}
{% macro require_valid_vars() %}
    {% set date_text = var('as_of_date', none) %}
    {% if date_text is not none and not modules.re.fullmatch('\\d{4}-\\d{2}-\\d{2}', date_text | string) %}
        {{ exceptions.raise_compiler_error("var as_of_date must look like 2026-11-23, not: " ~ date_text) }}
    {% endif %}
    {% set city = var('city', none) %}
    {% if city is not none and not modules.re.fullmatch('[a-z][a-z_]*', city | string) %}
        {{ exceptions.raise_compiler_error("var city must be the name of a city profile, not: " ~ city) }}
    {% endif %}
{% endmacro %}

{#- The build's city date: the var when given, else the date the build was opened with.
    require_valid_vars has seen the var before any model runs. -#}
{% macro as_of_date(recorded) -%}
    {%- if var('as_of_date', none) is not none -%}
        cast('{{ var("as_of_date") }}' as date)
    {%- else -%}
        {{ recorded }}
    {%- endif -%}
{%- endmacro %}
