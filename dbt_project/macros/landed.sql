{#- What of a row says where it came from: its batch, its line there, when it was supplied, the file, when we knew. -#}
{% macro origin() -%}
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
{%- endmacro %}

{#- Every delivered version of the rows of a table. -#}
{% macro landed(source_name, table_name, columns) -%}
select
    {{ columns | join(',\n    ') }},
    {{ origin() }}
from {{ source(source_name, table_name) }}
{%- endmacro %}
