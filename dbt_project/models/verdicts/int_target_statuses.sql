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
        coalesce(is_running, false) as is_running,
        row_number() over (partition by target_id order by ref_date) as step
    from {{ ref('int_target_forecasts') }}

),

folded as (

    select
        target_id,
        step,
        ref_date,
        raw_status as status,
        raw_status as wanted_status,
        ref_date as status_since,
        0::bigint as wanted_side
    from evaluations
    where step = 1

    union all

    select
        target_id,
        step,
        ref_date,
        case when moves then proposed else standing end as status,
        proposed as wanted_status,
        case when moves then ref_date else status_since end as status_since,
        case when moves then 0 else coalesce(side, 0) end as wanted_side
    from (
        select
            *,
            case
                when side is null then proposed != standing
                else side != 0 and side = former_side and not is_running
            end as moves
        from (
            select
                *,
                -- no side: one of the two is no score, and such a change does not wait
                case
                    when {{ is_score('standing') }} and {{ is_score('proposed') }}
                        then sign({{ status_rank('proposed') }} - {{ status_rank('standing') }})::bigint
                end as side
            from (
                select
                    evaluations.target_id,
                    evaluations.step,
                    evaluations.ref_date,
                    evaluations.is_running,
                    folded.status as standing,
                    folded.status_since,
                    folded.wanted_side as former_side,
                    case
                        when evaluations.is_sticky and folded.status = 'reached' then 'reached'
                        when evaluations.is_small and {{ is_score('folded.status') }} then folded.status
                        else {{ proposed_status(
                            'folded.status', 'evaluations.raw_status', 'evaluations.p_reach', 'evaluations.series_kind'
                        ) }}
                    end as proposed
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
