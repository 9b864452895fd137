-- A pull that brought nothing moves the status only; a rebuilt warehouse may know the batches only.
with cities as (

    select * from {{ ref('city') }}

),

spoken as (

    select
        source_name,
        complete_until,
        last_asked_at
    from {{ ref('stg_pipeline__source_status') }}
    union all
    select
        source_name,
        complete_until,
        null as last_asked_at
    from {{ ref('stg_pipeline__batches') }}

),

-- teams deliver apart from each other: what the slowest has not told is not complete
coach_teams as (

    select
        source_name,
        regexp_extract(lower(origin), '^renovatie_\d{4}-w\d{2}_([a-z]+)', 1) as team,
        max(complete_until) as complete_until
    from {{ ref('stg_pipeline__batches') }}
    where source_name = 'renovation_coach'
    group by all

),

slowest_teams as (

    select
        source_name,
        min(complete_until) as complete_until
    from coach_teams
    where team != ''
    group by source_name

),

latest as (

    select
        spoken.source_name,
        least(max(spoken.complete_until), any_value(slowest_teams.complete_until)) as complete_until,
        max(spoken.last_asked_at) as last_asked_at
    from spoken
    left join slowest_teams
        on spoken.source_name = slowest_teams.source_name
    group by spoken.source_name

)

select
    latest.source_name,
    latest.complete_until,
    latest.last_asked_at,
    timezone(cities.time_zone, latest.complete_until - interval 1 microsecond)::date as ref_date,
    timezone(cities.time_zone, latest.complete_until)::date - 1 as last_whole_date
from latest
cross join cities
