-- The departments of the city, and any other that somebody names: what nobody's agreement gives to a department joins
-- to a row that says so, and so does a building of a department that the city does not list.
with departments as (

    select * from {{ ref('departments') }}

),

named as (

    select 'onbekend' as department_id
    union
    select department_id from {{ ref('stg_buildings__connections') }}

)

select
    department_id,
    name_nl,
    name_en,
    true as is_listed
from departments
union all
select
    named.department_id,
    case named.department_id when 'onbekend' then 'Onbekend' else named.department_id end as name_nl,
    case named.department_id when 'onbekend' then 'Unknown' else named.department_id end as name_en,
    false as is_listed
from named
left join departments
    on named.department_id = departments.department_id
where named.department_id is not null and departments.department_id is null
order by department_id
