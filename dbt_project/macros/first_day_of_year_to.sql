{#- The first day of the twelve months that end on a date. A year less and a day more would begin on 29 February where
    the date is 28 February, and that day is the last of the year before. -#}
{% macro first_day_of_year_to(last_date) -%}
greatest(({{ last_date }} - interval 1 year)::date + 1, ({{ last_date }} + 1 - interval 1 year)::date)
{%- endmacro %}
