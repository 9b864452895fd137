-- Fluvius' open data by sector of activity, as the provinces' statistics site groups them: households, and all others.
with observations as (

    select * from {{ ref('int_indicators__observations_current') }}

),

named as (

    select
        area_id,
        ref_date,
        value,
        known_at,
        regexp_extract(
            kpi_id, '^fluvius_(elektriciteit|gas)_(afname|injectie)_([a-z]+)_(personen|bedrijven)_(kwh|n)$', 1
        ) as carrier_nl,
        regexp_extract(kpi_id, '^fluvius_[a-z]+_(afname|injectie)_', 1) as direction_nl,
        contains(kpi_id, '_huishoudens_') as is_residential,
        ends_with(kpi_id, '_kwh') as is_energy
    from observations

)

select
    area_id,
    ref_date,
    ref_date as date_key,
    case carrier_nl when 'elektriciteit' then 'electricity' else 'gas' end as carrier,
    case direction_nl when 'afname' then 'offtake' else 'injection' end as direction,
    is_residential,
    {{ exact_sum('value', where='is_energy') }} as energy_kwh,
    {{ exact_sum('value', where='not is_energy') }}::bigint as connections,
    max(known_at) as known_at
from named
where carrier_nl != ''
group by all
order by area_id, ref_date, carrier, direction, is_residential
