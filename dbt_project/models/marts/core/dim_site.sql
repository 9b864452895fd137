-- A dwelling is no row of its own: a building stands here by its access points in which nobody lives.
with connections as (

    select * from {{ ref('int_buildings__connections_current') }}
    where not is_dwelling

),

cities as (

    select * from {{ ref('city') }}

),

builds as (

    select * from {{ ref('stg_pipeline__build') }}

),

newest_rows as (

    select *
    from connections
    qualify row_number() over (
        partition by site_id
        order by valid_to_date desc nulls first, valid_from_date desc, ean asc
    ) = 1

),

periods as (

    select
        site_id,
        min(valid_from_date) as valid_from_date,
        nullif(max(coalesce(valid_to_date, date '9999-12-31')), date '9999-12-31') as valid_to_date
    from connections
    group by site_id

)

select
    newest_rows.site_id,
    coalesce(newest_rows.name_nl, newest_rows.site_id) as name_nl,
    newest_rows.department_id,
    coalesce(newest_rows.area_id, cities.area_id) as area_id,
    newest_rows.floor_area_m2,
    newest_rows.building_use,
    newest_rows.building_register_id,
    periods.valid_from_date,
    periods.valid_to_date,
    coalesce(builds.is_synthetic, false) as is_synthetic
from newest_rows
inner join periods
    on newest_rows.site_id = periods.site_id
cross join cities
left join builds
    on true
order by newest_rows.site_id
