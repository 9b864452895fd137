-- The areas the city lists, and any other that a supplier names: a figure of an area that nobody listed is no reason to
-- stop, and joins to a row that says so.
with areas as (

    select * from {{ ref('areas') }}

),

cities as (

    select area_id from {{ ref('city') }}

),

told as (

    select area_id from {{ ref('stg_indicators__observations') }}
    union
    select area_id from {{ ref('stg_buildings__connections') }}
    union
    select sector_id as area_id from {{ ref('stg_charge_points__locations') }}

)

select
    area_id,
    area_type,
    case area_type
        when 'municipality' then 1
        when 'district' then 2
        else 3
    end::bigint as level_no,
    name_nl,
    parent_area_id,
    true as is_listed
from areas
union all
select
    told.area_id,
    'unlisted' as area_type,
    3::bigint as level_no,
    told.area_id as name_nl,
    cities.area_id as parent_area_id,
    false as is_listed
from told
cross join cities
left join areas
    on told.area_id = areas.area_id
where told.area_id is not null and areas.area_id is null
order by area_id
