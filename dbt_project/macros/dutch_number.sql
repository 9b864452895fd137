{#- A number as a Dutch reader writes it: decimal comma, points between thousands, no needless zeros. -#}
{% macro dutch_number(expression) -%}
    translate(
        regexp_replace(
            case
                when abs({{ expression }}) >= 1000 then format('{:,.0f}', {{ expression }})
                when round({{ expression }}, 2) = round({{ expression }}, 0) then format('{:.0f}', {{ expression }})
                else regexp_replace(format('{:.2f}', {{ expression }}), '0$', '')
            end,
            '^-0$', '0'
        ),
        ',.', '.,'
    )
{%- endmacro %}
