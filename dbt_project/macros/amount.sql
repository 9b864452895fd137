{#- A figure that reads, with its unit in Dutch: `1 laadpunt`, `836 laadpunten`, `−9,8 % tegenover 2005`. -#}
{% macro amount(text, units) -%}
    {{ text }} || ' ' || case
        when {{ text }} = '1' then coalesce({{ units }}.one_nl, {{ units }}.label_nl)
        else {{ units }}.label_nl
    end
{%- endmacro %}
