{#- The readings that count. A missing value never replaces a measured one. The way a reading came in is no part of it:
    the other way repeats it. All versions of a reading lie on one date, for the date follows from start_at: so the
    readings of some dates can be resolved without the others. -#}
{% macro current_readings(delivered) -%}
    {{ latest_version(
        delivered,
        key=[
            'ean', 'meter_id', 'sub_ean', 'direction', 'register', 'unit', 'granularity', 'start_at', 'reading_date'
        ],
        version=['(value is not null)'],
        of_the_delivery=['source']
    ) }}
{%- endmacro %}
