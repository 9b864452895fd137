{#- Who sends a delivery, week after week: the host of an address, or a file name without its numbers. -#}
{% macro supplier_of(origin) -%}
case
    when {{ origin }} like '%://%' then regexp_extract({{ origin }}, '://([^/?#]+)', 1)
    else regexp_replace(regexp_replace(lower({{ origin }}), '\.[a-z0-9]+$', ''), '[0-9]+', '*', 'g')
end
{%- endmacro %}
