with positions as (

    select * from {{ ref('int_target_positions') }}

),

builds as (

    select * from {{ ref('dim_build') }}

),

dq_verdicts as (

    select * from {{ ref('stg_quality__dq_verdicts') }}

),

labels as (

    select * from {{ ref('status_labels') }}

),

judged as (

    select
        positions.*,
        coalesce(builds.as_of_date, {{ as_of_date('null::date') }}) as as_of_date,
        builds.build_id,
        coalesce(dq_verdicts.dq_verdict, 'unverified') as dq_verdict,
        coalesce(dq_verdicts.dq_reasons, ['geen oordeel over de gegevens']) as dq_reasons
    from positions
    left join builds
        on true
    left join dq_verdicts
        on positions.value_kpi_id = dq_verdicts.kpi_id

),

with_status as (

    select
        *,
        case
            when value is null then 'no_data'
            when as_of_date < baseline_date then 'not_started'
            when dq_verdict = 'unverified' then 'unverified'
            when target_value is null or (target_date is null and trajectory in ('linear', 'none')) then 'monitored'
            -- a yearly rate without an end is never reached for good
            when
                direction_sign * (value - target_value) >= 0 and not (trajectory = 'compound' and target_date is null)
                then 'reached'
            when as_of_date > target_date then 'overdue'
            when date_diff('day', ref_date, as_of_date) > 1.5 * cadence_days + publication_lag_days then 'stale'
            when required_value is null then 'monitored'
            when trajectory = 'step' and time_share >= 0.75 then 'at_risk'
            when gap >= -tolerance or attainment >= 0.95 then 'on_track'
            when trajectory = 'constant' and gap >= -2 * tolerance then 'at_risk'
            when attainment >= 0.60 then 'at_risk'
            else 'behind'
        end as status
    from judged

),

worded as (

    select
        with_status.*,
        labels.label_nl as status_nl,
        case when with_status.unit like '\%%' escape '\' then ' %' else '' end as suffix,
        {{ dutch_number('with_status.value') }} as value_text,
        {{ dutch_number('with_status.required_value') }} as required_text,
        {{ dutch_number('with_status.target_value') }} as target_text,
        {{ dutch_number('abs(with_status.gap)') }} as gap_text,
        case
            when with_status.direction_sign = 1 and with_status.gap < 0 then 'te weinig'
            when with_status.direction_sign = 1 then 'meer dan gevraagd'
            when with_status.gap < 0 then 'te veel'
            else 'beter dan gevraagd'
        end as gap_words
    from with_status
    left join labels
        on with_status.status = labels.status

)

select
    target_id,
    kpi_id,
    department_id,
    section,
    title_nl,
    title_en,
    unit,
    direction,
    as_of_date,
    ref_date,
    complete_until,
    value,
    baseline_value,
    target_value,
    target_date,
    required_value,
    gap,
    progress,
    time_share,
    status,
    case
        when status = 'no_data' then title_nl || ': er zijn nog geen gegevens.'
        when status = 'not_started' then title_nl || ': dit doel is nog niet begonnen.'
        when status = 'unverified'
            then title_nl || ': ' || value_text || suffix || '. Dit cijfer is nog niet geverifieerd.'
        when status = 'monitored' then title_nl || ': ' || value_text || suffix || '. We volgen dit op.'
        when status = 'reached'
            then title_nl || ': ' || value_text || suffix || '. Het doel van ' || target_text || suffix || ' is behaald.'
        when status = 'overdue'
            then
                title_nl || ': ' || value_text || suffix || '. Het doel van ' || target_text || suffix
                || ' moest er zijn op ' || strftime(target_date, '%d-%m-%Y') || '.'
        when status = 'stale'
            then
                title_nl || ': ' || value_text || suffix || ' op ' || strftime(ref_date, '%d-%m-%Y')
                || '. Er zijn geen recente gegevens.'
        when trajectory = 'step' then title_nl || ': nog niet behaald, ' || status_nl || '.'
        when gap_text = '0'
            then title_nl || ': ' || value_text || suffix || '; het pad vraagt ' || required_text || suffix || '.'
        else
            title_nl || ': ' || value_text || suffix || '; het pad vraagt ' || required_text || suffix || '. Dat is '
            || gap_text || ' ' || case when suffix = ' %' then 'procentpunt ' else '' end || gap_words || '.'
    end as sentence_nl,
    dq_verdict,
    dq_reasons,
    completeness,
    is_binding,
    is_public,
    is_contested,
    definition_version,
    build_id,
    known_at
from worded
order by target_id
