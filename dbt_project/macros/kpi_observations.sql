{#- The KPI models that fct_kpi_observations unites. dbt must know the references while it parses, before any
    tag can be looked up: a tagged model that is missing here stops the build. -#}
{% macro kpi_models() -%}
    {{ return([
        'kpi_charge_point_equivalents',
        'kpi_charge_point_service',
        'kpi_energy_base_load',
        'kpi_energy_footprint',
        'kpi_indicators',
        'kpi_own_co2_index',
        'kpi_own_energy',
        'kpi_own_energy_normalised',
        'kpi_renovation',
        'kpi_renovation_pace',
        'kpi_ticket_service',
        'kpi_tickets_on_time',
    ]) }}
{%- endmacro %}

{% macro require_every_tagged_kpi() %}
    {% if execute %}
        {% set tagged = [] %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' and 'kpi' in node.tags %}
            {% do tagged.append(node.name) %}
        {% endfor %}
        {% set missing = tagged | reject('in', kpi_models()) | sort | list %}
        {% if missing %}
            {{ exceptions.raise_compiler_error(
                "tagged kpi but not united: " ~ missing | join(', ') ~ "; add it to macros/kpi_observations.sql"
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}

{#- The columns of every KPI observation, in order. -#}
{% macro kpi_columns() -%}
    kpi_id,
    kpi_model,
    area_id,
    period_start,
    period_end,
    ref_date,
    value,
    unit,
    n,
    completeness,
    complete_until,
    known_at,
    numerator,
    denominator,
    calculation_version,
    empty_reason_nl
{%- endmacro %}
