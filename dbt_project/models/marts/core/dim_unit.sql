-- Every unit a figure may have. One that somebody added to a registry and gave no words yet, or
-- that left it, reads as it is written there.
with units as (

    select unit from {{ ref('unit_labels') }}
    union
    select unit from {{ ref('targets') }}
    union
    select unit from {{ ref('other_indicators') }}
    union
    select unit from {{ ref('kpis') }}
    union
    select unit from {{ ref('stg_indicators__observations') }}

)

select
    units.unit,
    coalesce(unit_labels.label_nl, units.unit) as label_nl,
    coalesce(unit_labels.label_en, units.unit) as label_en,
    starts_with(units.unit, '%') as is_percentage
from units
left join {{ ref('unit_labels') }} as unit_labels
    on units.unit = unit_labels.unit
where units.unit is not null
order by units.unit
