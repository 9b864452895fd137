{#- Cells of fewer than five are hidden, and enough larger ones with them that no total gives them away: what is hidden
    of one total is at least two cells and at least five in all. The smallest go first, so the rule hides no more than
    it must. An empty cell hides nothing and is not hidden.
    total_by: the columns of a total a reader may know; cell: the columns that tell its cells apart; measures: what
    becomes empty.
    parts: what a cell is split into, each with `counts` (what the split consists of, differences included) and
    `measures` (what becomes empty when one of those counts is 1 to 4). Of a split too at least two cells are hidden. -#}
{% macro suppressed(cells, total_by, cell, count, measures, parts=[]) -%}
{%- set sizes = ['cell'] -%}
{%- for part in parts -%}{%- do sizes.append('part_' ~ loop.index) -%}{%- endfor -%}
with sized as (

    select
        *,
        {{ count }} as cell_size{% for part in parts %},
        -- the smallest count of the split where that is small, else the cell itself
        case
            when least(nullif({{ part.counts | join(', 0), nullif(') }}, 0)) < 5
                then least(nullif({{ part.counts | join(', 0), nullif(') }}, 0))
            else {{ count }}
        end as part_{{ loop.index }}_size{% endfor %}

    from {{ cells }}

),

ranked as (

    select
        *{% for size in sizes %},
        min(nullif({{ size }}_size, 0)) over (partition by {{ total_by | join(', ') }}) as smallest_{{ size }},
        row_number() over by_{{ size }} as rank_of_{{ size }},
        coalesce(
            sum({{ size }}_size) over (by_{{ size }} rows between unbounded preceding and 1 preceding), 0
        ) as smaller_than_{{ size }}{% endfor %}

    from sized
    window {% for size in sizes %}
    by_{{ size }} as (
        partition by {{ total_by | join(', ') }}
        order by ({{ size }}_size = 0), {{ size }}_size, {{ cell | join(', ') }}
    ){% if not loop.last %},{% endif %}{% endfor %}

),

decided as (

    select
        * exclude ({% for size in sizes %}
            {{ size }}_size, smallest_{{ size }}, rank_of_{{ size }}, smaller_than_{{ size }}{% if not loop.last %},{% endif %}{% endfor %}

        ){% for size in sizes %},
        {{ size }}_size > 0 and smallest_{{ size }} < 5
        and ({{ size }}_size < 5 or rank_of_{{ size }} <= 2 or smaller_than_{{ size }} < 5) as is_{{ size }}_hidden
        {%- endfor %}

    from ranked

)

select
    * exclude ({% for size in sizes %}is_{{ size }}_hidden{% if not loop.last %}, {% endif %}{% endfor %}){% if measures %} replace (
        {%- for measure in measures %}
        case
            when not is_cell_hidden{% for part in parts if measure in part.measures %} and not is_part_{{ parts.index(part) + 1 }}_hidden{% endfor %}

                then {{ measure }}
        end as {{ measure }}{% if not loop.last %},{% endif %}{% endfor %}
    ){% endif %},
    is_cell_hidden as is_suppressed

from decided
{%- endmacro %}

{#- A total of the whole city, which no table splits: it is the promise itself and is told, but not where it rests on
    fewer than five. count: on how many persons or households a row rests. -#}
{% macro emptied_below_five(totals, count, measures) -%}
select
    * replace (
        {%- for measure in measures %}
        case when {{ count }} = 0 or {{ count }} >= 5 then {{ measure }} end as {{ measure }}{% if not loop.last %},{% endif %}{% endfor %}

    ),
    {{ count }} between 1 and 4 as is_suppressed
from {{ totals }}
{%- endmacro %}

{#- How many hours somebody charged, in words where few did. -#}
{% macro hours_told(count) -%}
    case when {{ count }} < 5 then 'Minder dan vijf uren' else {{ count }} || ' uren' end
{%- endmacro %}
