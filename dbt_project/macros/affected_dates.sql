{#- Which rows of a history an incremental model reads: those of the dates that a delivery touched, at a first build and
    after a change of code all. It belongs at the scan: DuckDB pushes no semi-join below a window. -#}
{% macro of_affected_dates(source_name, table_name, date_column) -%}
    {%- set affected = affected_dates(source_name, table_name) -%}
    {% if is_incremental() %}where {{ date_column }} in ({{ affected }}){% endif %}
{%- endmacro %}

{#- A model that keeps a history by date, of which only the dates that a delivery touched are made again. -#}
{% macro by_affected_dates(source_name, table_name, date_column) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=date_column,
        on_schema_change='fail',
        pre_hook="{{ delete_affected_dates('%s', '%s', '%s') }}" % (source_name, table_name, date_column)
    ) }}
{%- endmacro %}

{#- A date of which every row was withdrawn yields no new rows, so delete+insert alone would keep the old ones. -#}
{% macro delete_affected_dates(source_name, table_name, date_column) %}
    {% if is_incremental() %}
        delete from {{ this }}
        where {{ date_column }} in ({{ affected_dates(source_name, table_name) }})
    {% endif %}
{% endmacro %}

{% macro affected_dates(source_name, table_name) -%}
    select affected.event_date
    from {{ source('pipeline', 'affected') }} as affected
    where affected.source = '{{ source_name }}' and affected.table_name = '{{ table_name }}'
{%- endmacro %}
