{{ config(materialized="table", schema="intermediate", contract={"enforced": false}) }}

-- The fold over the evaluations, oldest first: what stands changes only when enough evaluations in a row, on different
-- data, want it on the same side; the newest value of a month that still runs changes no score. Nothing that was said
-- earlier takes part, so a restated value restates the past as well.
with recursive evaluations as (

    select
        target_id,
        ref_date,
        raw_status,
        p_reach,
        coalesce(method, 'none') as method,
        coalesce({{ moves_slowly('method', 'trajectory') }}, false) as is_slow,
        is_sticky,
        is_small,
        coalesce(is_yearly_figure, false) as is_yearly_figure,
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
        -- how many evaluations in a row want it lower (negative) or higher
        case when raw_status = 'behind' and is_noisy then -1 else 0 end::bigint as wanted_run
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
            when status = standing then coalesce(run, 0)
            -- a first value that is odd has moved the status a part of the way only
            when {{ is_ranked('status') }} and {{ is_ranked('wanted_status') }}
                then sign({{ status_rank('wanted_status') }} - {{ status_rank('status') }})::bigint
            else 0
        end as wanted_run
    from (
        select
            *,
            case
                -- what is counted, and what its deadline has shown, is a fact
                when wanted_status = 'reached' and (is_sticky or is_final) then 'reached'
                -- not worse than its path, it is not behind, whatever comes next
                when standing = 'behind' and not may_be_behind and {{ is_ranked('wanted_status') }} then 'at_risk'
                -- the first value that is judged says little where weather or a sample is in it
                when run is null and wanted_status = 'behind' and is_noisy then 'at_risk'
                when run is null then wanted_status
                when is_running then standing
                when abs(run) >= {{ evaluations_needed('is_slow', 'is_yearly_figure') }} then wanted_status
                when run < 0 and is_yearly_figure and p_reach < {{ sure_chance() }} then wanted_status
                else standing
            end as status
        from (
            select
                *,
                -- none: one of the two is no judgement, and such a change does not wait
                case
                    when {{ is_ranked('standing') }} and {{ is_ranked('wanted_status') }}
                        then sign({{ status_rank('wanted_status') }} - {{ status_rank('standing') }})::bigint
                end as side,
                case when side = sign(former_run) then former_run + side else side end as run
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
                    evaluations.method,
                    evaluations.is_slow,
                    evaluations.p_reach,
                    evaluations.is_yearly_figure,
                    folded.status as standing,
                    folded.status_since,
                    folded.wanted_run as former_run,
                    case
                        when evaluations.is_sticky and folded.status = 'reached' then 'reached'
                        when evaluations.is_small and {{ is_ranked('folded.status') }} then folded.status
                        else {{ proposed_status(
                            'folded.status', 'evaluations.raw_status', 'evaluations.p_reach',
                            'evaluations.method', 'evaluations.is_slow', 'evaluations.may_be_behind'
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
