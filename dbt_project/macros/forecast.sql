{#- The parameters of the forecast, chosen on programmes of which the end is known: docs/adr/0073. -#}
{% macro window_years() -%} 3 {%- endmacro %}

{#- How many increments the noise of a plan of this size weighs against those that were seen. -#}
{% macro prior_increments() -%} 4 {%- endmacro %}

{#- How much a year may differ from the plan by chance alone, as a share of a year's plan: Poisson for what is counted one by
    one, never believed to be under a tenth; a quarter for works and what else comes in lumps of unknown size. -#}
{% macro prior_noise(unit, trajectory, planned_year) -%}
    case
        when {{ is_measured_unit(unit) }} or {{ trajectory }} = 'project_steps' then 0.25
        else least(0.5, greatest(0.1, 1 / sqrt(abs({{ planned_year }}))))
    end
{%- endmacro %}

{#- How much the pace of a count, and of a level, is expected to change from year to year, as a share of a year's plan; more
    while there is no second year to see a change in. -#}
{% macro prior_wander() -%} 0.02 {%- endmacro %}
{% macro prior_wander_of_one_year() -%} 0.03 {%- endmacro %}
{% macro prior_wander_of_level() -%} 0.03 {%- endmacro %}

{#- How far a programme whose shape was told runs off its plan: by days, and as a share of the time between now and the middle
    of its work. -#}
{% macro slip_days() -%} 96 {%- endmacro %}
{% macro slip_of_steepness() -%} 0.15 {%- endmacro %}

{#- Metres, megawatts, shares and ratios: one more of it is no event. -#}
{% macro is_measured_unit(unit) -%}
    coalesce(regexp_matches(
        {{ unit }}, '^(%|[kMG]?Wh?p?\b|m[23]?\b|ha\b|km\b|t\b|kg\b|FTE\b)| per ([0-9]|inhabitant|dwelling)'
    ), false)
{%- endmacro %}

{#- Whether a figure comes once a year, or more rarely. -#}
{% macro is_yearly_figure(cadence_days) -%} coalesce({{ cadence_days }} >= 300, false) {%- endmacro %}

{#- How far a count may stray in the years of work ahead: by noise, by what noise hid of its pace, and by a pace that goes
    on changing; where the shape of the plan was told, by running off that plan in time. -#}
{% macro count_deviation() -%}
    sqrt(
        noise * years_ahead * (
            1 + years_ahead * (coalesce(pow(weight, 2) / last_du, 0) + (1 - pow(weight, 2)) / window_du)
        )
        + case
            when is_shaped then pow(planned_year * slip * (years_done + years_ahead) / years_done, 2)
            else wander * pow(years_ahead, 3)
        end
    )
{%- endmacro %}

{#- The points a pace is read from. A level over a whole year overlaps the next: only the same month of each year. -#}
{% macro recent_points(points, ref_date, cadence_days, is_yearly) -%}
    list_filter({{ points }}, lambda point:
        date_diff('day', point.measured_on, {{ ref_date }})
        <= greatest(1096, 5.5 * case when {{ is_yearly }} then 365 else {{ cadence_days }} end)
        and (not {{ is_yearly }} or month(point.measured_on) = month({{ ref_date }}))
    )
{%- endmacro %}

{#- The months with answers of the last twelve. -#}
{% macro answered_points(points, month_number) -%}
    list_filter({{ points }}, lambda point: point.n is not null and point.m > {{ month_number }} - 11.5)
{%- endmacro %}

{#- The share of all answers of some months together. -#}
{% macro pooled_share(points) -%}
    list_sum(list_transform({{ points }}, lambda point: struct_extract(point, 'v') * struct_extract(point, 'n')))
    / nullif(list_sum(list_transform({{ points }}, lambda point: struct_extract(point, 'n'))), 0)
{%- endmacro %}
