{#- The sum of a double column, the same in whatever order the rows come: doubles do not add up so, decimals do.
    Nine decimals hold every meter's thousandths and the fractions of a completeness. -#}
{% macro exact_sum(column, where=none) -%}
sum({{ column }}::decimal(38, 9)){% if where %} filter (where {{ where }}){% endif %}::double
{%- endmacro %}
