{{ config(meta={'suppresses': true}) }}

-- Three paces of the guidance, by the year in which each was reached: days from intake to plan, days from plan to the
-- first finished work, and labels gained. The cells of a pace are its years.
with dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

measures as (

    select
        team,
        dossier_id,
        min(works_completed_date) as works_completed_date,
        max(known_at) as known_at
    from {{ ref('int_renovation_coach__measures_current') }}
    where works_completed_date is not null
    group by team, dossier_id

),

steps as (

    select
        'renovation_days_intake_to_plan' as kpi_id,
        dossiers.intake_date as begin_date,
        dossiers.plan_delivered_date as end_date,
        dossiers.known_at
    from dossiers
    union all
    select
        'renovation_days_plan_to_works' as kpi_id,
        dossiers.plan_delivered_date as begin_date,
        measures.works_completed_date as end_date,
        greatest(dossiers.known_at, measures.known_at) as known_at
    from dossiers
    inner join measures
        on
            dossiers.team = measures.team
            and dossiers.dossier_id = measures.dossier_id

),

lead_times as (

    select
        kpi_id,
        year(end_date)::bigint as year_reached,
        count(*) as n,
        median(end_date - begin_date)::double as value,
        null::double as numerator,
        null::double as denominator,
        max(known_at) as known_at
    from steps
    -- works may have begun before there was a plan: that is no lead time
    where end_date >= begin_date
    group by kpi_id, year(end_date)

),

-- a dwelling with two dossiers gained its labels once
dwellings as (

    select
        *,
        coalesce(epc_date, phase_date) as reached_date,
        strpos('FEDCBA', left(epc_label_after, 1)) + (epc_label_after = 'A+')::integer
        - strpos('FEDCBA', left(epc_label_before, 1)) - (epc_label_before = 'A+')::integer as labels_gained
    from dossiers
    where epc_label_before is not null and epc_label_after is not null
    qualify row_number() over (
        partition by dwelling_key
        order by coalesce(epc_date, phase_date) desc, team asc, dossier_id asc
    ) = 1

),

epc_steps as (

    select
        'renovation_epc_steps' as kpi_id,
        year(reached_date)::bigint as year_reached,
        count(*) as n,
        sum(labels_gained)::double / count(*) as value,
        sum(labels_gained)::double as numerator,
        count(*)::double as denominator,
        max(known_at) as known_at
    from dwellings
    group by year(reached_date)

),

counted as (

    select * from lead_times
    union all
    select * from epc_steps

),

-- the macro names its own CTEs, so it stands alone
shown as (

    {{ suppressed(
        'counted',
        total_by=['kpi_id'],
        cell=['year_reached'],
        count='n',
        measures=['n', 'value', 'numerator', 'denominator']
    ) }}

)

select * from shown
