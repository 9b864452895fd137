{#- A date of which every row was withdrawn yields no new rows, so delete+insert alone would keep the old ones. -#}
{% macro delete_affected_dates(source_name, table_name, date_column) %}
    {% if is_incremental() %}
        delete from {{ this }}
        where {{ date_column }} in (
            select event_date
            from {{ source('pipeline', 'affected') }}
            where source = '{{ source_name }}' and table_name = '{{ table_name }}'
        )
    {% endif %}
{% endmacro %}
