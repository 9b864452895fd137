{#- A text with its {names} replaced; a missing figure leaves nothing, never an empty sentence. -#}
{% macro fill_template(template, values) -%}
    {%- set filled = namespace(sql=template) -%}
    {%- for name, expression in values.items() -%}
        {%- set filled.sql = "replace(" ~ filled.sql ~ ", '{" ~ name ~ "}', coalesce(" ~ expression ~ ", ''))" -%}
    {%- endfor -%}
    {{ filled.sql }}
{%- endmacro %}
