with readings as (

    select
        *,
        coalesce(other_reading_of, target_id) as registry_id
    from {{ ref('int_target_verdicts') }}

),

disputes as (

    select * from {{ ref('int_target_disputes') }}
    where n_readings > 1

),

status_labels as (

    select * from {{ ref('status_labels') }}

)

select
    readings.target_id as reading_id,
    readings.registry_id as target_id,
    readings.other_reading_of is null as is_of_registry,
    readings.reading_nl,
    disputes.questions_nl,
    disputes.may_decide_nl,
    readings.value_kpi_id,
    readings.as_of_date,
    readings.as_of_date as date_key,
    readings.ref_date,
    readings.value,
    readings.unit,
    readings.baseline_value,
    readings.baseline_date,
    readings.target_value,
    readings.target_date,
    readings.required_value,
    readings.required_today,
    readings.gap,
    readings.p_reach,
    readings.status,
    status_labels.label_nl as status_nl,
    status_labels.label_en as status_en,
    readings.definition_version,
    {{ method_version() }}::bigint as method_version,
    readings.build_id,
    readings.known_at
from readings
inner join disputes
    on readings.registry_id = disputes.target_id
inner join status_labels
    on readings.status = status_labels.status
order by readings.registry_id, readings.other_reading_of nulls first, readings.target_id
