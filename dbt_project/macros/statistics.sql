{#- The normal distribution function, within 0.00015 of the true one. -#}
{% macro normal_cdf(z) -%}
    (1 / (1 + exp(-1.5976 * least(30.0, greatest(-30.0, {{ z }})) - 0.07056 * pow(least(30.0, greatest(-30.0, {{ z }})), 3))))
{%- endmacro %}

{#- How far an 80 % interval reaches to each side, in standard deviations. -#}
{% macro z_80() -%} 1.2816 {%- endmacro %}

{#- The probability that something lands at least `margin` above its mark; without spread it is sure. -#}
{% macro probability_above(margin, standard_deviation) -%}
    case
        when {{ margin }} is null then null
        when {{ standard_deviation }} > 0 then {{ normal_cdf('(' ~ margin ~ ') / ' ~ standard_deviation) }}
        when {{ margin }} >= 0 then 1.0
        when {{ margin }} < 0 then 0.0
    end
{%- endmacro %}

{#- One end of Wilson's 80 % interval of a share between 0 and 1 that n answers made; sign is -1 or +1. -#}
{% macro wilson_bound(share, n, sign) -%}
    (
        (
            {{ share }} + pow({{ z_80() }}, 2) / (2 * {{ n }})
            + {{ sign }} * {{ z_80() }}
            * sqrt({{ share }} * (1 - {{ share }}) / {{ n }} + pow({{ z_80() }}, 2) / (4 * pow({{ n }}, 2)))
        ) / (1 + pow({{ z_80() }}, 2) / {{ n }})
    )
{%- endmacro %}

{#- The probability of `count` events or more where a Poisson law expects `mean`. -#}
{% macro poisson_at_least(count, mean) -%}
    greatest(0.0, 1 - coalesce(list_sum(list_transform(
        range(0, ({{ count }})::bigint),
        lambda k: exp(k * ln(greatest({{ mean }}, 1e-9)) - ({{ mean }}) - lgamma(k + 1.0))
    )), 0.0))
{%- endmacro %}

{#- Whether the last three points, one a year, are of three years in a row. -#}
{% macro are_three_years(points) -%}
    coalesce(
        year(struct_extract({{ points }}[-1], 'measured_on')) - year(struct_extract({{ points }}[-3], 'measured_on')) = 2,
        false
    )
{%- endmacro %}

{#- The slopes of all pairs of points, smallest first. A point is a struct with x and v. -#}
{% macro pair_slopes(points) -%}
    list_sort(flatten(list_transform(
        range(1, len({{ points }})),
        lambda i: list_transform(
            range(i + 1, len({{ points }}) + 1),
            lambda j: ({{ points }}[j].v - {{ points }}[i].v) / nullif({{ points }}[j].x - {{ points }}[i].x, 0)
        )
    )))
{%- endmacro %}

{#- The slope at one end of Sen's 80 % interval: the rank that Kendall's variance of n points gives. -#}
{% macro sen_bound(slopes, n, sign) -%}
    {{ slopes }}[least(len({{ slopes }}), greatest(1, (
        {% if sign < 0 -%}
            floor((len({{ slopes }}) - {{ kendall_spread(n) }}) / 2)
        {%- else -%}
            ceil((len({{ slopes }}) + {{ kendall_spread(n) }}) / 2) + 1
        {%- endif %}
    )::bigint))]
{%- endmacro %}

{% macro kendall_spread(n) -%}
    {{ z_80() }} * sqrt({{ n }} * ({{ n }} - 1) * (2 * {{ n }} + 5) / 18.0)
{%- endmacro %}

{#- The level of a straight line with this slope at the middle of its points: half of them lie above it. One odd last
    value therefore moves neither the slope nor the place it starts from. -#}
{% macro level_at_middle(points, slope) -%}
    list_aggregate(list_transform(
        {{ points }},
        lambda point:
            struct_extract(point, 'v')
            - {{ slope }} * (struct_extract(point, 'x') - {{ middle_clock(points) }})
    ), 'median')
{%- endmacro %}

{% macro middle_clock(points) -%}
    list_aggregate(list_transform({{ points }}, lambda other: struct_extract(other, 'x')), 'median')
{%- endmacro %}
