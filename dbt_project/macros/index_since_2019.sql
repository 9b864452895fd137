{#- Twelve months against 2019, added up over the buildings and carriers measured in both. An unknown part is no total:
    what lacks something says what, and of which year. The relation is int_energy_meters__years_beside_2019 with a kpi_id;
    value: the column that is compared, which has a `base_` one; missing: the list of what it lacks; lacks_nl: what
    that is called; per: by what the added amounts are divided; method: its version; model: the KPI model. -#}
{% macro index_since_2019(relation, value, missing, lacks_nl, no_base_nl, per, method, model) -%}
with added as (

    select
        kpi_id,
        ref_date,
        complete_until,
        {{ exact_sum(value, where='is_comparable') }} / {{ per }} as amount,
        {{ exact_sum('base_' ~ value, where='is_comparable') }} / {{ per }} as base_amount,
        count(distinct site_id) filter (where is_comparable) as n,
        coalesce({{ exact_sum('coverage') }} / nullif(count(coverage), 0), 0) as completeness,
        array_to_string(
            list_sort(list_distinct(flatten(list({{ missing }}) filter (where is_comparable)))), ', '
        ) as missing,
        max(known_at) as known_at
    from {{ relation }}
    group by kpi_id, ref_date, complete_until
    having max(known_at) is not null

),

settled as (

    select
        *,
        case
            when n = 0 then 'te weinig gemeten'
            when missing != '' then '{{ lacks_nl }}: ' || missing
            when coalesce(base_amount, 0) = 0 then '{{ no_base_nl }}'
        end as empty_reason_nl
    from added

)

select
    settled.kpi_id,
    '{{ model }}' as kpi_model,
    cities.area_id,
    {{ first_day_of_year_to('settled.ref_date') }} as period_start,
    settled.ref_date as period_end,
    settled.ref_date,
    case when settled.empty_reason_nl is null then 100 * (settled.amount / settled.base_amount - 1) end as value,
    '% change vs 2019' as unit,
    settled.n,
    settled.completeness,
    settled.complete_until,
    settled.known_at,
    case when settled.empty_reason_nl is null then settled.amount end as numerator,
    case when settled.empty_reason_nl is null then settled.base_amount end as denominator,
    '{{ method }}' as calculation_version,
    settled.empty_reason_nl
from settled
cross join cities
{%- endmacro %}
