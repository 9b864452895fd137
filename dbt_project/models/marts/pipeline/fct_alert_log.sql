-- What was decided of each target for each reader, silence too, up to the build before this one: what this build tells
-- is decided once it is published. It rests on seeds and on our own books alone, so that every build makes it anew.
with alerts as (

    select * from {{ ref('stg_pipeline__alerts') }}

),

targets as (

    select * from {{ ref('targets') }}

),

departments as (

    select * from {{ ref('departments') }}

),

reason_labels as (

    select * from {{ ref('alert_reason_labels') }}

),

cities as (

    select * from {{ ref('city') }}

)

select
    coalesce(departments.department_id, 'onbekend') as department_id,
    alerts.target_id,
    timezone(cities.time_zone, alerts.first_decided_at)::date as date_key,
    alerts.topic,
    case alerts.topic when 'figure' then 'cijfer dat de afdeling levert' else 'oordeel over het doel' end as topic_nl,
    alerts.status,
    alerts.outcome,
    case alerts.outcome when 'told' then 'gemeld' when 'held' then 'wacht' else 'niet gemeld' end as outcome_nl,
    alerts.reason as alert_reason,
    reason_labels.label_nl as alert_reason_nl,
    reason_labels.label_en as alert_reason_en,
    alerts.first_decided_at,
    alerts.last_decided_at,
    alerts.builds as n_builds,
    alerts.held_until,
    alerts.sent_at
from alerts
-- a target that the registry no longer holds is told of nowhere
inner join targets
    on alerts.target_id = targets.target_id
left join departments
    on alerts.department_id = departments.department_id
left join reason_labels
    on alerts.reason = reason_labels.reason
cross join cities
order by alerts.last_decided_at, alerts.department_id, alerts.target_id, alerts.topic, alerts.first_decided_at
