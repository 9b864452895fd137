{#- From points to a pace and its spread. A point is a struct: x (years, on the clock of the path), m (month number),
    v (value), measured_on, asked (what the path asked then). The lists hold at most 36 increments. -#}

{#- Spread per month of the increments around the pace: the random walk of a count that events build. Increments of
    unequal length weigh by it. A perfectly even series is not believed: at least half of Poisson's spread. -#}
{% macro increment_spread(points, pace, span) -%}
    greatest(
        sqrt(list_sum(list_transform(
            range(2, len({{ points }}) + 1),
            lambda i: pow(
                {{ points }}[i].v - {{ points }}[i - 1].v
                - {{ pace }} * ({{ points }}[i].x - {{ points }}[i - 1].x), 2
            ) / ({{ points }}[i].m - {{ points }}[i - 1].m)
        )) / nullif(len({{ points }}) - 2, 0)),
        least(0.5 * sqrt(greatest(abs({{ pace }}) / 12, 0.1)), 0.01 * abs({{ span }}))
    )
{%- endmacro %}

{#- How far a random walk with drift may stray in the months ahead; the drift itself is known from `months_known`. -#}
{% macro drift_deviation(spread, months_ahead, months_known) -%}
    {{ spread }} * sqrt({{ months_ahead }} * (1 + {{ months_ahead }} / {{ months_known }}))
{%- endmacro %}

{#- The points a pace is read from. A level over a whole year overlaps the next: only the same month of each year. -#}
{% macro recent_points(points, ref_date, cadence_days, is_yearly) -%}
    list_filter({{ points }}, lambda point:
        date_diff('day', point.measured_on, {{ ref_date }})
        <= greatest(1096, 5.5 * case when {{ is_yearly }} then 365 else {{ cadence_days }} end)
        and (not {{ is_yearly }} or month(point.measured_on) = month({{ ref_date }}))
    )
{%- endmacro %}
