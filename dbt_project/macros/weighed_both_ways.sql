{#- The joins that give a charge point its weight by power and its factor by access, by the default method and by
    the control method. The relation has power_kw and access_class; the CTEs `bands` and `factors` are the seeds. -#}
{% macro weighed_both_ways(relation) -%}
    {%- for name, method in [('default', 'cpt2022'), ('control', 'mow2024')] %}
    inner join bands as {{ name }}_bands
        on
            {{ name }}_bands.method = '{{ method }}'
            and {{ relation }}.power_kw >= {{ name }}_bands.kw_min_incl
            and {{ relation }}.power_kw < {{ name }}_bands.kw_max_excl
    inner join factors as by_{{ name }}
        on
            by_{{ name }}.method = '{{ method }}'
            and {{ relation }}.access_class = by_{{ name }}.access_class
    {%- endfor %}
{%- endmacro %}
