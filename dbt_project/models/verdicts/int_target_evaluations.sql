{{ config(materialized="table", schema="intermediate", contract={"enforced": false}) }}

-- The moments at which a target is judged: the last value of every month that has one, on its own reference date,
-- with the points that were there by then. Restating a value restates every evaluation after it. Of a series measured
-- more often than monthly the newest value of a month that still runs moves the figures, but not what stands.
with paths as (

    select * from {{ ref('int_target_starts') }}

),

month_ends as (

    select *
    from {{ ref('int_target_observations') }}
    where value is not null and doubt_nl is null
    qualify row_number() over (
        partition by target_id, date_trunc('month', ref_date) order by ref_date desc
    ) = 1

),

asked as (

    select
        month_ends.*,
        -- a start that was measured asks nothing of itself; six decimals: more is noise of floating point
        case
            when not paths.is_start_measured or month_ends.ref_date > paths.baseline_date
                then round({{ path_value('paths', 'month_ends.ref_date') }}, 6)
        end as required_value,
        {{ time_share('paths.baseline_date', 'paths.target_date', 'month_ends.ref_date') }} as time_share,
        -- the first day of which anything is known, be it the start of the registry
        least(
            min(month_ends.ref_date) over (partition by month_ends.target_id),
            case when paths.baseline_value is not null then paths.baseline_date end
        ) as known_since,
        {{ pace_clock('paths', 'month_ends.ref_date') }} as clock,
        {{ month_number('month_ends.ref_date') }} as month_number,
        coalesce(paths.cadence_days < 28, false)
        and not month_ends.is_month_over
        and month_ends.ref_date = max(month_ends.ref_date) over (partition by month_ends.target_id) as is_running,
        coalesce(paths.series_kind, 'none') = 'rare_count'
        or (coalesce(paths.series_kind, 'none') in ('level', 'share') and month_ends.is_over_a_year) as is_yearly
    from month_ends
    inner join paths
        on month_ends.target_id = paths.target_id

)

select
    *,
    list(
        struct_pack(
            x := clock, m := month_number, v := value, n := n, measured_on := ref_date, asked := required_value
        )
    ) over (
        partition by target_id order by ref_date
        rows between 36 preceding and current row
    ) as points,
    -- a fingerprint of the evaluations before this one: another one with the same newest value is a corrected past
    md5(coalesce(string_agg(concat_ws('/', ref_date, round(value, 6), n), ';') over (
        partition by target_id order by ref_date
        rows between unbounded preceding and 1 preceding
    ), '')) as history_hash
from asked
