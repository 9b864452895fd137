{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Where dossiers drop off or wait before the step that counts for the target, with how long they have been waiting.
-- `contribution` counts dossiers or measures; `n` counts households, for those decide what may be shown.
with positions as (

    select * from {{ ref('int_target_positions') }}
    where
        value_kpi_id in (
            'renovation_coached_households',
            'renovation_custom_dwellings',
            'renovation_custom_trajectories',
            'renovation_collective',
            'collective_renovation_fossil_free_share'
        )
        and gap < 0

),

dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

measures as (

    select * from {{ ref('int_renovation_coach__measures_current') }}
    where project_enrolments >= 10

),

collective_measures as (

    select * from {{ ref('int_renovation_coach__collective_measures') }}
    where not is_fossil_free

),

dossier_steps as (

    select
        case
            when house_visit_date is null then 'intake_to_visit'
            when plan_delivered_date is null and phase = 'aanmelding' then 'visit_to_advice'
            when plan_delivered_date is null then 'advice_to_plan'
        end as step,
        phase = 'stopgezet' as is_stopped,
        coalesce(house_visit_date, intake_date) as since_date,
        -- one dwelling may have several dossiers
        coalesce(dwelling_key, team || '/' || dossier_id) as household
    from dossiers

),

measure_steps as (

    select
        case
            when measures.status = 'besteld' then 'order_to_done'
            else 'plan_to_order'
        end as step,
        measures.status = 'geannuleerd' or coalesce(dossiers.phase = 'stopgezet', false) as is_stopped,
        measures.status_date as since_date,
        coalesce(dossiers.dwelling_key, measures.team || '/' || measures.dossier_id) as household
    from measures
    left join dossiers
        on measures.team = dossiers.team and measures.dossier_id = dossiers.dossier_id
    where measures.works_completed_date is null

),

waiting as (

    select
        positions.target_id,
        dossier_steps.step,
        dossier_steps.is_stopped,
        dossier_steps.household,
        date_diff('day', dossier_steps.since_date, positions.ref_date) as days,
        'dossiers' as unit
    from positions
    inner join dossier_steps
        on
            dossier_steps.step = 'intake_to_visit'
            or (dossier_steps.step is not null and starts_with(positions.value_kpi_id, 'renovation_custom_'))
    where
        positions.value_kpi_id = 'renovation_coached_households'
        or starts_with(positions.value_kpi_id, 'renovation_custom_')
    union all
    select
        positions.target_id,
        measure_steps.step,
        measure_steps.is_stopped,
        measure_steps.household,
        date_diff('day', measure_steps.since_date, positions.ref_date) as days,
        'maatregelen' as unit
    from positions
    cross join measure_steps
    where positions.value_kpi_id = 'renovation_collective'

),

steps as (

    select
        target_id,
        'step' as driver_type,
        step || case when is_stopped then '/stopped' else '' end as driver_key,
        case when is_stopped then 'Gestopt ' else 'Wacht ' end
        || case step
            when 'intake_to_visit' then 'tussen intake en huisbezoek'
            when 'visit_to_advice' then 'tussen huisbezoek en advies'
            when 'advice_to_plan' then 'tussen advies en plan'
            when 'plan_to_order' then 'tussen plan en bestelling'
            else 'tussen bestelling en uitvoering'
        end
        -- what has piled up, whatever year it began in: no part of the gap of this year
        || case
            when is_stopped then ' (alle jaren)'
            when unit = 'dossiers' then ' (alle open dossiers)'
            else ' (alle open maatregelen)'
        end as label_nl,
        case when is_stopped then 'stopped' else 'waiting' end as coarser_key,
        case when is_stopped then 'Gestopt onderweg' else 'Wacht onderweg' end
        || case
            when is_stopped then ' (alle jaren)'
            when unit = 'dossiers' then ' (alle open dossiers)'
            else ' (alle open maatregelen)'
        end as coarser_label_nl,
        count(*)::double as contribution,
        unit,
        count(distinct household) as n,
        median(days) filter (where not is_stopped)::double as median_days
    from waiting
    where days >= 0
    group by target_id, step, is_stopped, unit

),

fossil as (

    select
        positions.target_id,
        'category' as driver_type,
        collective_measures.measure as driver_key,
        'Niet fossielvrij: ' || replace(collective_measures.measure, '_', ' en ') as label_nl,
        null::varchar as coarser_key,
        null::varchar as coarser_label_nl,
        count(*)::double as contribution,
        'maatregelen' as unit,
        -- one row for a dwelling and a measure: as many households
        count(*) as n,
        null::double as median_days
    from positions
    inner join collective_measures
        on positions.ref_date >= collective_measures.works_completed_date
    where positions.value_kpi_id = 'collective_renovation_fossil_free_share'
    group by positions.target_id, collective_measures.measure

)

select * from steps
union all
select * from fossil
