{#- How two factors that hold in one month are ordered, the one to use first: the later start, then the later version.
    A version is compared by its numbers, so that v10 comes after v9. -#}
{% macro newest_factor(factors) -%}
    {{ factors }}.valid_from_date desc nulls last,
    {{ factors }}.version_numbers desc nulls last,
    {{ factors }}.factor_id desc nulls last
{%- endmacro %}

{% macro version_numbers(source_version) -%}
    list_transform(regexp_extract_all({{ source_version }}, '\d+'), lambda digits: digits::bigint)
{%- endmacro %}
