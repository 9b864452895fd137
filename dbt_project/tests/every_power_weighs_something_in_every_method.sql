{{ config(tags=['structure'], severity='error') }}

-- a gap or an overlap between two bands would lose a charge point or count it twice
with bands as (

    select
        method,
        kw_min_incl,
        kw_max_excl,
        lead(kw_min_incl) over (partition by method, valid_from order by kw_min_incl) as next_min_incl
    from {{ ref('cpe_weights') }}

)

select *
from bands
where kw_max_excl is distinct from next_min_incl
