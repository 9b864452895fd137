{#- Cells of fewer than five are hidden, and enough larger ones with them that no total gives them away: what is hidden
    of one total is at least two cells and at least five in all. The smallest go first, so the rule hides no more than
    it must. An empty cell hides nothing and is not hidden.
    total_by: the columns of a total a reader may know; cell: the columns that tell its cells apart; measures: what
    becomes empty. -#}
{% macro suppressed(cells, total_by, cell, count, measures) -%}
with sized as (

    select
        *,
        {{ count }} as cell_size
    from {{ cells }}

),

ranked as (

    select
        *,
        min(nullif(cell_size, 0)) over (partition by {{ total_by | join(', ') }}) as smallest_size,
        row_number() over by_size as size_rank,
        coalesce(sum(cell_size) over (by_size rows between unbounded preceding and 1 preceding), 0) as smaller_in_all
    from sized
    window by_size as (
        partition by {{ total_by | join(', ') }}
        order by (cell_size = 0), cell_size, {{ cell | join(', ') }}
    )

),

decided as (

    select
        * exclude (cell_size, smallest_size, size_rank, smaller_in_all),
        cell_size > 0 and smallest_size < 5 and (cell_size < 5 or size_rank <= 2 or smaller_in_all < 5) as is_suppressed
    from ranked

)

select
    *{% if measures %} replace (
        {% for measure in measures %}case when not is_suppressed then {{ measure }} end as {{ measure }}{% if not loop.last %},
        {% endif %}{% endfor %}
    ){% endif %}

from decided
{%- endmacro %}
