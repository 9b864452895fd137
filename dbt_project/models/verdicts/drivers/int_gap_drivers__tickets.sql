{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Questions answered too late or not at all: by theme and department in the month the judgement is about, and by sector
-- over a year. What the monthly table or the sectors hide is one group here, so that the two tell no more together
-- than each of them does.
with positions as (

    select * from {{ ref('int_target_positions') }}
    where value_kpi_id = 'tickets_1777_5wd' and gap < 0

),

observations as (

    select * from {{ ref('kpi_tickets_on_time') }}

),

counts as (

    select * from {{ ref('int_tickets_1777__monthly_counts') }}

),

shown as (

    select * from {{ ref('int_tickets_1777__monthly_shown') }}

),

departments as (

    select * from {{ ref('dim_department') }}

),

themes as (

    select
        positions.target_id,
        'category' as driver_type,
        case
            when shown.n_on_time is not null then concat(counts.department_id, '/', counts.theme_nl)
        end as driver_key,
        case
            when shown.n_on_time is not null
                then counts.theme_nl || ' (' || coalesce(departments.name_nl, counts.department_id) || ')'
        end as label_nl,
        counts.n_late + counts.n_overdue_open as late,
        counts.n
    from positions
    inner join observations
        on positions.ref_date = observations.ref_date
    inner join counts
        on observations.period_start = counts.month_start
    inner join shown
        on
            counts.month_start = shown.month_start
            and counts.department_id = shown.department_id
            and counts.theme_nl = shown.theme_nl
    left join departments
        on counts.department_id = departments.department_id
    where counts.n > 0

),

sectors as (

    select
        positions.target_id,
        'sector' as driver_type,
        sectors_shown.sector_id as driver_key,
        case sectors_shown.sector_id
            when 'overige' then 'Overige buurten'
            when 'onbekend' then 'Buurt onbekend'
            else coalesce(areas.name_nl, sectors_shown.sector_id)
        end || ' (twaalf maanden)' as label_nl,
        sectors_shown.n_late as late,
        sectors_shown.n
    from positions
    cross join {{ ref('int_tickets_1777__sectors_shown') }} as sectors_shown
    left join {{ ref('dim_area') }} as areas
        on sectors_shown.sector_id = areas.area_id

),

cells as (

    select * from themes
    union all
    select * from sectors

)

select
    target_id,
    driver_type,
    coalesce(driver_key, 'overige') as driver_key,
    coalesce(label_nl, 'Overige') as label_nl,
    sum(late)::double as contribution,
    'vragen te laat' as unit,
    sum(n)::bigint as n,
    null::double as median_days
from cells
group by target_id, driver_type, driver_key, label_nl
having sum(late) not between 1 and 4
