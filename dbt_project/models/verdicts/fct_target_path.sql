-- The path of each target from its start to its deadline, at the end of every month and wherever it bends: where it
-- came from and where it leads. Without a start or a deadline it is told for the years around the build.
with paths as (

    select
        *,
        coalesce(baseline_date, make_date(year(as_of_date) - 4, 1, 1)) as first_date,
        coalesce(target_date, make_date(year(as_of_date) + 1, 12, 31)) as end_date
    from {{ ref('int_target_verdicts') }}
    where other_reading_of is null and status not in ('cancelled', 'contested')

),

month_ends as (

    select
        paths.target_id,
        last_day(months.month_start::date) as path_date
    from paths
    cross join unnest(range(paths.first_date, paths.end_date, interval 1 month)) as months (month_start)

),

bends as (

    select
        paths.target_id,
        stones.stone.reached_on as path_date
    from paths
    cross join unnest(paths.milestones) as stones (stone)

),

ends as (

    select
        target_id,
        unnest([first_date, end_date]) as path_date
    from paths

),

days as (

    select * from month_ends
    union
    select * from bends
    union
    select * from ends

),

valued as (

    select
        paths.target_id,
        days.path_date,
        days.path_date as date_key,
        round({{ path_value('paths', 'days.path_date') }}, 6) as required_value,
        paths.unit
    from paths
    inner join days
        on
            paths.target_id = days.target_id
            and days.path_date between paths.first_date and paths.end_date

)

select *
from valued
where required_value is not null
order by target_id, path_date
