-- The factors that everybody uses, completed by those of the city itself, which come first.
select
    *,
    false as is_of_city
from {{ ref('emission_factors') }}
union all
select
    *,
    true as is_of_city
from {{ ref('city_emission_factors') }}
