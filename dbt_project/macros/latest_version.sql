{#- One row per key: the last by the contract's version columns, then the supplier's time, then the content.
    The moment of arrival takes no part. -#}
{% macro latest_version(key, version) -%}
    qualify row_number() over (
        partition by {{ key | join(', ') }}
        order by {% for column in version %}{{ column }} desc nulls last, {% endfor %}supplied_at desc, content_sha256 desc
    ) = 1
{%- endmacro %}
