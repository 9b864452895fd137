{#- Why a figure that somebody typed in cannot be what was meant, by what the registry alone says of it; null where nothing
    speaks against it. Columns: value, unit, series_kind, baseline_value, target_value, and
    required_value, which the path asked on the day of the figure. -#}
{% macro registry_doubt() -%}
    case
        when unit = 'milestone 0/1' and value not in (0, 1) then 'een mijlpaal is 0 of 1'
        when series_kind = 'rare_count' and value != floor(value)
            then 'dit hoort een aantal te zijn, en een aantal is een geheel getal'
        when starts_with(unit, '% of') and not value between 0 and 100 then 'een aandeel ligt tussen 0 en 100 %'
        when starts_with(unit, '% change') then case when value < -100 then 'meer dan 100 % dalen kan niet' end
        when abs(value) > 10 * {{ largest_of_registry() }} then 'meer dan tien keer zo groot als begin en doel'
        when {{ is_fraction(smallest_of_registry()) }} then 'lijkt een breuk in plaats van een percentage'
        when
            series_kind in ('level', 'share')
            and not starts_with(unit, '%')
            and 20 * abs(value) < {{ smallest_of_registry() }}
            then 'meer dan twintig keer zo klein als begin en doel'
        when
            abs(value - baseline_value) > 10 * abs(required_value - baseline_value)
            and abs(value - baseline_value) > {{ largest_of_registry() }}
            then 'meer dan tien keer zo ver van het begin als het pad die dag vroeg'
    end
{%- endmacro %}

{#- The same by the figures before it: those against which the registry alone says nothing. -#}
{% macro history_doubt() -%}
    case
        when starts_with(unit, '% change') or unit = 'milestone 0/1' or series_kind = 'rare_count' then null
        when {{ is_fraction('earlier_median') }} then 'lijkt een breuk in plaats van een percentage'
        when 20 * abs(value) < abs(earlier_median) then 'meer dan twintig keer zo klein als de cijfers ervoor'
        when earlier_largest > 0 and abs(value) > greatest(10 * earlier_largest, {{ largest_of_registry() }})
            then 'meer dan tien keer zo groot als de cijfers ervoor'
    end
{%- endmacro %}

{% macro largest_of_registry() -%}
    nullif(greatest(abs(baseline_value), abs(target_value)), 0)
{%- endmacro %}

{% macro smallest_of_registry() -%}
    least(nullif(abs(baseline_value), 0), nullif(abs(target_value), 0))
{%- endmacro %}

{% macro is_fraction(beside) -%}
    starts_with(unit, '%') and value > 0 and value < 1 and {{ beside }} >= 10
{%- endmacro %}
