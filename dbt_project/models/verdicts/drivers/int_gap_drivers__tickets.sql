{{ config(materialized="view", schema="intermediate", contract={"enforced": false}) }}

-- Questions answered too late or not at all, by theme and by neighbourhood, of the last quarter of which every term is
-- over; before there is one, by department of the last such month. What the published tables hide of a department is
-- told as the rest of that department, and what they hide of whole departments as those together: both follow from what
-- is told.
with positions as (

    select target_id from {{ ref('int_target_positions') }}
    where value_kpi_id = 'tickets_1777_5wd' and gap < 0

),

quarters as (

    select
        quarter_start,
        quarter(quarter_start) || 'e kwartaal ' || year(quarter_start) as quarter_nl
    from {{ ref('int_tickets_1777__quarterly_counts') }}
    where is_settled and not has_small_month
    group by quarter_start
    qualify row_number() over (order by quarter_start desc) = 1

),

quarter_counts as (

    select
        counts.*,
        shown.is_suppressed,
        shown.is_department_hidden,
        quarters.quarter_nl
    from {{ ref('int_tickets_1777__quarterly_counts') }} as counts
    inner join quarters
        on counts.quarter_start = quarters.quarter_start
    inner join {{ ref('int_tickets_1777__quarterly_shown') }} as shown
        on
            counts.quarter_start = shown.quarter_start
            and counts.department_id = shown.department_id
            and counts.theme_nl = shown.theme_nl

),

month_counts as (

    select
        counts.*,
        shown.is_suppressed,
        strftime(counts.month_start, '%m/%Y') as month_nl
    from {{ ref('int_tickets_1777__monthly_counts') }} as counts
    inner join {{ ref('int_tickets_1777__monthly_shown') }} as shown
        on
            counts.month_start = shown.month_start
            and counts.department_id = shown.department_id
    where counts.is_settled and not exists (select 1 from quarters)
    qualify counts.month_start = max(counts.month_start) over ()

),

departments as (

    select * from {{ ref('dim_department') }}

),

areas as (

    select * from {{ ref('dim_area') }}

),

themes as (

    select
        case
            when not quarter_counts.is_suppressed
                then concat_ws('/', quarter_counts.department_id, quarter_counts.theme_nl)
            when quarter_counts.is_department_hidden then 'kleine_afdelingen'
            else quarter_counts.department_id
        end as driver_key,
        case
            when not quarter_counts.is_suppressed
                then
                    quarter_counts.theme_nl || ' ('
                    || coalesce(departments.name_nl, quarter_counts.department_id) || ', '
            when quarter_counts.is_department_hidden then 'Kleine afdelingen samen ('
            else 'Andere thema’s (' || coalesce(departments.name_nl, quarter_counts.department_id) || ', '
        end || quarter_counts.quarter_nl || ')' as label_nl,
        quarter_counts.n_late + quarter_counts.n_overdue_open as late,
        quarter_counts.n
    from quarter_counts
    left join departments
        on quarter_counts.department_id = departments.department_id
    union all
    select
        case when month_counts.is_suppressed then 'kleine_afdelingen' else month_counts.department_id end as driver_key,
        case
            when month_counts.is_suppressed then 'Kleine afdelingen samen'
            else coalesce(departments.name_nl, month_counts.department_id)
        end || ' (' || month_counts.month_nl || ')' as label_nl,
        month_counts.n_late + month_counts.n_overdue_open as late,
        month_counts.n
    from month_counts
    left join departments
        on month_counts.department_id = departments.department_id

),

sectors as (

    select
        coalesce(tickets.sector_id, 'onbekend') as driver_key,
        case when tickets.sector_id is null then 'Buurt onbekend' else coalesce(areas.name_nl, tickets.sector_id) end
        || ' (' || quarters.quarter_nl || ')' as label_nl,
        areas.parent_area_id as coarser_key,
        'Andere buurten van ' || districts.name_nl || ' (' || quarters.quarter_nl || ')' as coarser_label_nl,
        count(*) filter (where tickets.outcome in ('late', 'overdue_open')) as late,
        count(*) as n
    from {{ ref('fct_tickets') }} as tickets
    inner join quarters
        on date_trunc('quarter', tickets.requested_date) = quarters.quarter_start
    left join areas
        on tickets.sector_id = areas.area_id
    left join areas as districts
        on areas.parent_area_id = districts.area_id
    where tickets.is_counted and tickets.is_term_over
    group by tickets.sector_id, areas.name_nl, areas.parent_area_id, districts.name_nl, quarters.quarter_nl

),

cells as (

    select
        'category' as driver_type,
        driver_key,
        any_value(label_nl) as label_nl,
        null::varchar as coarser_key,
        null::varchar as coarser_label_nl,
        sum(late) as late,
        sum(n) as n
    from themes
    group by driver_key
    union all
    select
        'sector' as driver_type,
        driver_key,
        label_nl,
        coarser_key,
        coarser_label_nl,
        late,
        n
    from sectors

)

select
    positions.target_id,
    cells.driver_type,
    cells.driver_key,
    cells.label_nl,
    cells.coarser_key,
    cells.coarser_label_nl,
    cells.late::double as contribution,
    'vragen te laat' as unit,
    cells.n::bigint as n,
    null::double as median_days
from positions
cross join cells
