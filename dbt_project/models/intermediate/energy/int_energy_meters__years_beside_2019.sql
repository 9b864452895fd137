-- Twelve whole months of each building and carrier at every month's end, beside the calendar year 2019, with what of
-- either is not known. What the register did not yet hold in 2019 has nothing to be short of.
with expected as (

    select * from {{ ref('int_buildings__expected_days') }}

),

months as (

    select
        *,
        case carrier when 'electricity' then 'elektriciteit ' else carrier || ' ' end || year(month_start_date)
            as carrier_year_nl
    from {{ ref('fct_energy_monthly') }}
    where direction = 'offtake'

),

month_ends as (

    select * from {{ ref('int_energy_meters__month_ends') }}

),

years as (

    select
        month_ends.ref_date,
        month_ends.complete_until,
        expected.site_id,
        expected.carrier,
        {{ exact_sum('months.energy_kwh') }} as energy_kwh,
        {{ exact_sum('months.co2_kg') }} as co2_kg,
        -- only heating depends on the weather, and in a month that asked for none it did not
        {{ exact_sum('case
            when months.normalisation_nl in (\'niet van toepassing\', \'geen stookmaand\') then months.energy_kwh
            else months.normalised_kwh
        end') }} as normalised_kwh,
        list(distinct months.carrier_year_nl) filter (
            where months.energy_kwh is not null and months.co2_kg is null
        ) as without_factor,
        list(distinct year(months.month_start_date)::varchar) filter (
            where months.normalisation_nl in ('graaddagen ontbreken', 'geen zomer gemeten')
        ) as without_degree_days,
        least(
            1.0, coalesce({{ exact_sum('months.measured_days') }}, 0) / {{ exact_sum('expected.expected_days') }}
        ) as coverage,
        max(months.known_at) as known_at
    from month_ends
    inner join expected
        on
            month_ends.ref_date >= expected.month_start_date
            and expected.month_start_date > month_ends.ref_date - interval 1 year
    left join months
        on
            expected.site_id = months.site_id
            and expected.carrier = months.carrier
            and expected.month_start_date = months.month_start_date
    group by month_ends.ref_date, month_ends.complete_until, expected.site_id, expected.carrier

)

select
    years.ref_date,
    years.complete_until,
    years.site_id,
    years.carrier,
    years.co2_kg / years.coverage as co2_kg,
    base.co2_kg / base.coverage as base_co2_kg,
    years.normalised_kwh / years.coverage as normalised_kwh,
    base.normalised_kwh / base.coverage as base_normalised_kwh,
    list_sort(list_distinct(list_concat(coalesce(years.without_factor, []), coalesce(base.without_factor, []))))
        as without_factor,
    list_sort(list_distinct(
        list_concat(coalesce(years.without_degree_days, []), coalesce(base.without_degree_days, []))
    )) as without_degree_days,
    case when base.coverage is not null then least(years.coverage, base.coverage) end as coverage,
    coalesce(years.coverage >= 0.95 and base.coverage >= 0.95, false) as is_comparable,
    years.known_at
from years
left join years as base
    on
        base.ref_date = '2019-12-31'
        and years.site_id = base.site_id
        and years.carrier = base.carrier
