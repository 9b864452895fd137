{#- Whether every line of the batches in a model was accepted. -#}
{% test no_line_was_refused(model, table_name) %}
    select
        counts.batch_id,
        counts.quarantined
    from {{ ref('stg_pipeline__batch_counts') }} as counts
    inner join (select distinct batch_id from {{ model }}) as batches
        on counts.batch_id = batches.batch_id
    where counts.table_name = '{{ table_name }}' and counts.quarantined > 0
{% endtest %}
