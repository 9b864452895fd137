{{ config(meta={'suppresses': true}) }}

-- From which label to which, by the year of the later certificate.
with dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}
    where epc_label_before is not null and epc_label_after is not null

),

counted as (

    select
        year(coalesce(epc_date, phase_date))::integer as year_reached,
        epc_label_before,
        epc_label_after,
        strpos('FEDCBA', left(epc_label_after, 1)) + (epc_label_after = 'A+')::integer
        - strpos('FEDCBA', left(epc_label_before, 1)) - (epc_label_before = 'A+')::integer as steps,
        count(distinct dwelling_key) as dwellings,
        -- not every certificate has a score: the mean of one dwelling is that dwelling's own
        case
            when count(epc_before_kwh_m2 - epc_after_kwh_m2) >= 5
                then
                    {{ exact_sum('(epc_before_kwh_m2 - epc_after_kwh_m2)') }}
                    / count(epc_before_kwh_m2 - epc_after_kwh_m2)
        end as mean_saving_kwh_m2
    from dossiers
    group by all

),

-- the macro names its own CTEs, so it stands alone
shown as (

    {{ suppressed(
        'counted',
        total_by=['year_reached'],
        cell=['epc_label_before', 'epc_label_after'],
        count='dwellings',
        measures=['dwellings', 'mean_saving_kwh_m2']
    ) }}

)

select * from shown
