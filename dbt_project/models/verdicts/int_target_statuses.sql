{{ config(materialized="table", schema="intermediate", contract={"enforced": false}) }}

-- The fold over the evaluations, oldest first: what stands changes only when two evaluations on different data want
-- it on the same side; the newest value of a month that still runs changes no score. Nothing that was said earlier
-- takes part, so a restated value restates the past as well.
with recursive evaluations as (

    select
        target_id,
        ref_date,
        raw_status,
        p_reach,
        series_kind,
        is_sticky,
        is_small,
        coalesce(is_noisy, false) as is_noisy,
        coalesce(is_final, false) as is_final,
        coalesce(may_be_behind, true) as may_be_behind,
        coalesce(is_running, false) as is_running,
        row_number() over (partition by target_id order by ref_date) as step
    from {{ ref('int_target_forecasts') }}

),

folded as (

    select
        target_id,
        step,
        ref_date,
        case when raw_status = 'behind' and is_noisy then 'at_risk' else raw_status end as status,
        raw_status as wanted_status,
        ref_date as status_since,
        case when raw_status = 'behind' and is_noisy then -1 else 0 end::bigint as wanted_side
    from evaluations
    where step = 1

    union all

    select
        target_id,
        step,
        ref_date,
        status,
        wanted_status,
        case when status = standing then status_since else ref_date end as status_since,
        case
            when {{ is_ranked('status') }} and {{ is_ranked('wanted_status') }}
                then sign({{ status_rank('wanted_status') }} - {{ status_rank('status') }})::bigint
            else 0
        end as wanted_side
    from (
        select
            *,
            case
                -- what is counted, and what its deadline has shown, is a fact
                when wanted_status = 'reached' and (is_sticky or is_final) then 'reached'
                -- not worse than its path, it is not behind, whatever comes next
                when standing = 'behind' and not may_be_behind and {{ is_ranked('wanted_status') }} then 'at_risk'
                -- the first value that is judged says little where weather or a sample is in it
                when side is null and wanted_status = 'behind' and is_noisy then 'at_risk'
                when side is null or (side != 0 and side = former_side and not is_running) then wanted_status
                else standing
            end as status
        from (
            select
                *,
                -- no side: one of the two is no judgement, and such a change does not wait
                case
                    when {{ is_ranked('standing') }} and {{ is_ranked('wanted_status') }}
                        then sign({{ status_rank('wanted_status') }} - {{ status_rank('standing') }})::bigint
                end as side
            from (
                select
                    evaluations.target_id,
                    evaluations.step,
                    evaluations.ref_date,
                    evaluations.is_running,
                    evaluations.is_sticky,
                    evaluations.is_noisy,
                    evaluations.is_final,
                    evaluations.may_be_behind,
                    folded.status as standing,
                    folded.status_since,
                    folded.wanted_side as former_side,
                    case
                        when evaluations.is_sticky and folded.status = 'reached' then 'reached'
                        when evaluations.is_small and {{ is_ranked('folded.status') }} then folded.status
                        else {{ proposed_status(
                            'folded.status', 'evaluations.raw_status', 'evaluations.p_reach',
                            'evaluations.series_kind', 'evaluations.may_be_behind'
                        ) }}
                    end as wanted_status
                from folded
                inner join evaluations
                    on
                        folded.target_id = evaluations.target_id
                        and folded.step + 1 = evaluations.step
            ) as proposals
        ) as sides
    ) as moved

)

select
    folded.target_id,
    folded.ref_date,
    evaluations.raw_status,
    folded.status,
    folded.wanted_status,
    folded.status_since
from folded
inner join evaluations
    on
        folded.target_id = evaluations.target_id
        and folded.step = evaluations.step
