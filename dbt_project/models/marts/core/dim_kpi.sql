-- Every figure that a mart or the registry names: those the city measures itself, those a target asks for and those
-- that are only followed. Of one that is in several lists the measured one says what it is.
with kpis as (

    select * from {{ ref('kpis') }}

),

targets as (

    select
        kpi_id,
        arg_min(unit, target_id) as unit,
        arg_min(direction, target_id) as direction,
        arg_min(title_nl, target_id) as title_nl,
        arg_min(title_en, target_id) as title_en,
        count(*) as targets_count
    from {{ ref('targets') }}
    group by kpi_id

),

other_indicators as (

    select * from {{ ref('other_indicators') }}

),

-- of what left the registry since
observed as (

    select
        kpi_id,
        any_value(unit order by ref_date desc, unit asc) as unit
    from {{ ref('stg_indicators__observations') }}
    group by kpi_id

),

named as (

    select kpi_id from kpis
    union
    select kpi_id from targets
    union
    select kpi_id from other_indicators
    union
    select kpi_id from observed

)

select
    named.kpi_id,
    coalesce(kpis.unit, targets.unit, other_indicators.unit, observed.unit) as unit,
    {{ typeset('coalesce(kpis.title_nl, targets.title_nl, other_indicators.title_nl, named.kpi_id)') }} as title_nl,
    {{ typeset('coalesce(kpis.title_en, targets.title_en, other_indicators.title_en, named.kpi_id)') }} as title_en,
    coalesce(kpis.direction, targets.direction) as direction,
    {{ typeset(
        'coalesce(kpis.definition_nl, targets.title_nl, other_indicators.title_nl, named.kpi_id)'
    ) }} as definition_nl,
    coalesce(kpis.formula_nl, 'zoals de afdeling of de bron het cijfer geeft') as formula_nl,
    coalesce(kpis.source_name, 'indicators') as source_name,
    coalesce(targets.targets_count, 0) as targets_count,
    targets.kpi_id is not null as has_target
from named
left join kpis
    on named.kpi_id = kpis.kpi_id
left join targets
    on named.kpi_id = targets.kpi_id
left join other_indicators
    on named.kpi_id = other_indicators.kpi_id
left join observed
    on named.kpi_id = observed.kpi_id
order by named.kpi_id
