{#- One row per key: the last by the contract's version columns, then the supplier's time, then the content.
    The moment of arrival takes no part. known_at is that of the first batch that brought these same values: a
    delivery that repeats them makes nothing known. It comes from a join, for a second window costs twice as much.
    of_the_delivery names further columns that tell of the delivery and not of the thing. -#}
{% macro latest_version(delivered, key, version, of_the_delivery=[]) -%}
with versions as (

    select
        *,
        hash(*columns(* exclude (
            {{ origin() }}{% for column in of_the_delivery %}, {{ column }}{% endfor %}
        ))) as values_hash
    from {{ delivered }}

),

first_known as (

    select
        {{ key | join(', ') }},
        values_hash,
        min(known_at) as first_known_at
    from versions
    group by all

),

last_versions as (

    select *
    from versions
    qualify row_number() over (
        partition by {{ key | join(', ') }}
        order by {% for column in version %}{{ column }} desc nulls last, {% endfor %}supplied_at desc, content_sha256 desc
    ) = 1

)

select last_versions.* exclude (values_hash) replace (coalesce(first_known.first_known_at, last_versions.known_at) as known_at)
from last_versions
left join first_known using ({{ key | join(', ') }}, values_hash)
{%- endmacro %}
