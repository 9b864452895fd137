{#- How open a charge point is; what a class weighs stands in the seed cpe_access_factors. Exceptional openings and
    closings are no part of the stock. -#}
{% macro charge_point_access_class(is_published, parking_type, parking_restrictions, is_open_24_7, hours_min_per_day) -%}
    case
        when not {{ is_published }} then 'private'
        -- LEKP 2.0 counts on top of charging along motorways (source: VVSG, questions on LEKP 2.0)
        when {{ parking_type }} = 'ALONG_MOTORWAY' then 'motorway'
        -- half is for what everybody may use, so what only those who work or live there or drive a taxi may use is none
        when list_has_any(string_split({{ parking_restrictions }}, ','), ['EMPLOYEES', 'TAXIS', 'TENANTS'])
            then 'closed_group'
        when ({{ is_open_24_7 }} or {{ hours_min_per_day }} >= 24)
            and list_contains(string_split({{ parking_restrictions }}, ','), 'CUSTOMERS') then 'customers_only'
        when {{ is_open_24_7 }} or {{ hours_min_per_day }} >= 24 then 'always'
        when {{ hours_min_per_day }} >= 10 then 'ten_hours'
        when {{ hours_min_per_day }} < 10 then 'short'
        when not {{ is_open_24_7 }} then 'not_always'
        when {{ parking_type }} = 'ON_STREET' then 'unknown_on_street'
        else 'unknown'
    end
{%- endmacro %}
