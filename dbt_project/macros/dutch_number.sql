{#- A number as a Dutch reader writes it: decimal comma, points between thousands, a minus that is no hyphen, no needless
    zeros. -#}
{% macro dutch_number(expression, digits) -%}
    translate(
        regexp_replace(
            regexp_replace(
                format('{:,.2f}', round({{ expression }}, {{ digits }}) + 0.0), '(\.[0-9]*?)0+$', '\1'
            ),
            '\.$', ''
        ),
        ',.-', '.,−'
    )
{%- endmacro %}
