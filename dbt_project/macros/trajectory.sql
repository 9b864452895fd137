{#- Where the path of a target stands on a date. `path` is the alias of a row of int_target_paths.
    tau is the elapsed share of the window, between 0 and 1. -#}
{% macro time_share(baseline_date, target_date, ref_date) -%}
    case
        when {{ baseline_date }} < {{ target_date }}
            then least(1.0, greatest(0.0,
                date_diff('day', {{ baseline_date }}, {{ ref_date }})::double
                / date_diff('day', {{ baseline_date }}, {{ target_date }})
            ))
    end
{%- endmacro %}

{#- Year and elapsed share of it, so that a path by calendar year is exact on 31 December. -#}
{% macro fractional_year(date_column) -%}
    (year({{ date_column }}) + {{ share_of_year(date_column) }})
{%- endmacro %}

{% macro share_of_year(date_column) -%}
    (dayofyear({{ date_column }})::double / dayofyear(make_date(year({{ date_column }}), 12, 31)))
{%- endmacro %}

{#- Months since year 0, whole on the last day of a month: the ends of months lie equally far apart. -#}
{% macro month_number(date_column) -%}
    (year({{ date_column }}) * 12 + month({{ date_column }}) - 1
    + day({{ date_column }})::double / day(last_day({{ date_column }})))
{%- endmacro %}

{#- Years of work done since year 0 at the start of a day, when each month holds its own share of a year's work. -#}
{% macro season_clock(weights, date_column) -%}
    (
        year({{ date_column }})
        + coalesce(list_sum({{ weights }}[1:month({{ date_column }}) - 1]), 0)
        + {{ weights }}[month({{ date_column }})]
        * (day({{ date_column }}) - 1) / day(last_day({{ date_column }}))
    )
{%- endmacro %}

{#- The clock, in years, against which a pace is read: by season for seasonal work, by equal months for counts
    built from events, else by days. -#}
{% macro pace_clock(path, date_column) -%}
    case
        when {{ path }}.season_weights is not null
            then {{ season_clock(path ~ '.season_weights', date_column) }}
        when {{ path }}.series_kind = 'event' then {{ month_number(date_column) }} / 12
        else date_diff('day', date '2000-01-01', {{ date_column }}) / 365.25
    end
{%- endmacro %}

{#- The same clock at the end of the last day of the target. -#}
{% macro deadline_clock(path) -%}
    case
        when {{ path }}.season_weights is not null
            then {{ season_clock(path ~ '.season_weights', '(' ~ path ~ '.target_date + 1)') }}
        else {{ pace_clock(path, path ~ '.target_date') }}
    end
{%- endmacro %}

{#- A path through points in time. -#}
{% macro has_milestones(trajectory) -%} {{ trajectory }} in ('milestones', 's_curve', 'project_steps') {%- endmacro %}

{#- A plan of which somebody told the shape: what its own clock says of the pace needs no guess at where that wanders. -#}
{% macro is_shaped(trajectory) -%} {{ trajectory }} in ('s_curve', 'project_steps') {%- endmacro %}

{#- Years of work that the plan asks up to a day: the whole of the plan is as long as its time, and a steep part of it takes
    more years of work than it lasts. Only milestones bend it further than the clock of the pace does. -#}
{% macro plan_clock(path, date_column) -%}
    case
        when {{ has_milestones(path ~ '.trajectory') }} and {{ path }}.target_value != {{ path }}.baseline_value
            then {{ milestone_clock(path, date_column) }}
        else {{ pace_clock(path, date_column) }}
    end
{%- endmacro %}

{% macro milestone_clock(path, date_column) -%}
    date_diff('day', {{ path }}.baseline_date, {{ path }}.target_date) / 365.25
    * ({{ milestone_value(path, date_column) }} - {{ path }}.baseline_value)
    / ({{ path }}.target_value - {{ path }}.baseline_value)
{%- endmacro %}

{% macro plan_deadline_clock(path) -%}
    case
        when {{ has_milestones(path ~ '.trajectory') }} then {{ plan_clock(path, path ~ '.target_date') }}
        else {{ deadline_clock(path) }}
    end
{%- endmacro %}

{#- Where the clock of a told shape would stand if the programme ran some days ahead of it or behind. A work comes up to a
    quarter early or half a year late. An S-curve runs a quarter off, and is steeper or flatter than planned: that counts for
    more the farther its middle lies. -#}
{% macro slipped_clocks(path, date_column) -%}
    list_transform(
        case {{ path }}.trajectory
            when 'project_steps' then range(-90, 181, 30)
            when 's_curve'
                then list_transform([-1, 1], lambda side: (
                    side * sqrt(
                        pow({{ slip_days() }}, 2) + pow(
                            {{ slip_of_steepness() }} * date_diff('day', {{ path }}.middle_date, {{ date_column }}), 2
                        )
                    )
                )::bigint)
        end,
        lambda slip: {{ milestone_clock(path, '(' ~ date_column ~ ' - slip::integer)') }}
    )
{%- endmacro %}

{#- The middle of a plan's work in time. -#}
{% macro middle_of_work(milestones) -%}
    list_sum(list_transform(range(2, len({{ milestones }}) + 1), lambda number:
        ({{ milestones }}[number].value - {{ milestones }}[number - 1].value)
        * (
            date_diff('day', date '2000-01-01', {{ milestones }}[number].reached_on)
            + date_diff('day', date '2000-01-01', {{ milestones }}[number - 1].reached_on)
        ) / 2
    )) / nullif({{ milestones }}[-1].value - {{ milestones }}[1].value, 0)
{%- endmacro %}

{#- What the works of the last half year should have brought: a work that is late is no programme that is behind. -#}
{% macro due_of_late(path, date_column) -%}
    case
        when {{ path }}.trajectory = 'project_steps'
            then abs(
                {{ milestone_value(path, date_column) }} - {{ milestone_value(path, '(' ~ date_column ~ ' - 180)') }}
            )
    end
{%- endmacro %}

{#- Piecewise through the milestones; a step keeps the former value until its day. -#}
{% macro milestone_value(path, ref_date) -%}
    {%- set former -%}
        list_filter({{ path }}.milestones, lambda stone: stone.reached_on <= {{ ref_date }})[-1]
    {%- endset -%}
    {%- set next -%}
        list_filter({{ path }}.milestones, lambda stone: stone.reached_on > {{ ref_date }})[1]
    {%- endset -%}
    case
        when {{ former }} is null then {{ path }}.baseline_value
        when {{ next }} is null or {{ next }}.interpolation = 'step' then {{ former }}.value
        else
            {{ former }}.value + ({{ next }}.value - {{ former }}.value)
            * date_diff('day', {{ former }}.reached_on, {{ ref_date }})
            / date_diff('day', {{ former }}.reached_on, {{ next }}.reached_on)
    end
{%- endmacro %}

{#- compound without a deadline: `target_value` is a yearly rate in percent and the value a change since the
    baseline date; compound with a deadline goes from value to value. -#}
{% macro compound_value(path, ref_date) -%}
    case
        when {{ path }}.baseline_date is null then null
        when {{ path }}.target_date is null
            then
                100 * (
                    pow(
                        1 + {{ path }}.target_value / 100,
                        greatest(0, {{ fractional_year(ref_date) }} - {{ fractional_year(path ~ '.baseline_date') }})
                    ) - 1
                )
        when {{ path }}.baseline_value * {{ path }}.target_value > 0
            then
                {{ path }}.baseline_value * pow(
                    {{ path }}.target_value / {{ path }}.baseline_value,
                    {{ time_share(path ~ '.baseline_date', path ~ '.target_date', ref_date) }}
                )
    end
{%- endmacro %}

{#- The share of the way a straight or seasonal path has asked for. -#}
{% macro path_share(path, ref_date) -%}
    case
        when {{ path }}.season_weights is not null and {{ ref_date }} >= {{ path }}.target_date then 1.0
        when {{ path }}.season_weights is not null
            then least(1.0, greatest(0.0,
                (
                    {{ season_clock(path ~ '.season_weights', ref_date) }}
                    - {{ season_clock(path ~ '.season_weights', path ~ '.baseline_date') }}
                ) / (
                    {{ deadline_clock(path) }} - {{ season_clock(path ~ '.season_weights', path ~ '.baseline_date') }}
                )
            ))
        else {{ time_share(path ~ '.baseline_date', path ~ '.target_date', ref_date) }}
    end
{%- endmacro %}

{% macro path_value(path, ref_date) -%}
    case {{ path }}.trajectory
        when 'constant' then {{ path }}.target_value
        when 'annual_quota' then {{ path }}.target_value * {{ share_of_year(ref_date) }}
        when 'step' then
            case
                when {{ path }}.target_date is null then null
                when {{ ref_date }} >= {{ path }}.target_date then {{ path }}.target_value
                else {{ path }}.baseline_value
            end
        when 'compound' then {{ compound_value(path, ref_date) }}
        when 'milestones' then {{ milestone_value(path, ref_date) }}
        when 's_curve' then {{ milestone_value(path, ref_date) }}
        when 'project_steps' then {{ milestone_value(path, ref_date) }}
        when 'none' then null
        else
            {{ path }}.baseline_value + ({{ path }}.target_value - {{ path }}.baseline_value)
            * {{ path_share(path, ref_date) }}
    end
{%- endmacro %}

{#- The pace, a year, that leads from a value to the target in what is left of the time on `from_date`. A quota is that of the
    running year; a yearly rate without an end leads to where the path stands a year on. -#}
{% macro needed_pace(path, from_date, value) -%}
    case
        when {{ path }}.trajectory in ('constant', 'step', 'none') then null
        when {{ path }}.trajectory = 'annual_quota'
            then ({{ path }}.target_value - {{ value }}) / nullif(1 - {{ share_of_year(from_date) }}, 0)
        when {{ path }}.trajectory = 'compound' and {{ path }}.target_date is null
            then {{ compound_value(path, '(' ~ from_date ~ ' + interval 1 year)::date') }} - {{ value }}
        else
            ({{ path }}.target_value - {{ value }})
            / nullif(greatest(0, {{ deadline_clock(path) }} - {{ pace_clock(path, from_date) }}), 0)
    end
{%- endmacro %}
