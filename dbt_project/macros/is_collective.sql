{#- What the energy and climate pact calls collective: ten dwellings that enrolled together, or a building of ten. -#}
{% macro is_collective(measures, dossiers) -%}
    greatest(
        coalesce({{ measures }}.project_enrolments, 0),
        coalesce({{ measures }}.project_dwelling_units, 0),
        coalesce({{ dossiers }}.dwelling_units, 0)
    ) >= 10
{%- endmacro %}
