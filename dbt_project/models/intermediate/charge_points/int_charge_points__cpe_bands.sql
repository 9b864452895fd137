-- The bands of each method that hold on the day the source speaks until.
with sources_complete as (

    select * from {{ ref('int_sources_complete') }}
    where source_name = 'charge_points'

)

select
    cpe_weights.method,
    cpe_weights.kw_min_incl,
    coalesce(cpe_weights.kw_max_excl, 'infinity'::double) as kw_max_excl,
    cpe_weights.weight
from {{ ref('cpe_weights') }} as cpe_weights
cross join sources_complete
where cpe_weights.valid_from <= sources_complete.ref_date
qualify cpe_weights.valid_from = max(cpe_weights.valid_from) over (partition by cpe_weights.method)
