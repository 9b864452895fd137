{#- How many stand behind drivers that become one. One household may stand in several cells of dossiers or measures: no
    more than the largest are sure to differ. -#}
{% macro driver_count() -%}
    case when any_value(unit) in ('dossiers', 'maatregelen') then max(n) else sum(n) end::bigint
{%- endmacro %}
