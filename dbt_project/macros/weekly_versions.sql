{#- The rows of weekly files that still speak, with the first later full file in which their key lacks.
    Of a week that a team delivered again only the newest file speaks, also when it holds no row of the table. A row
    that says it corrects silences the earlier weeks of its key. A full file with refused rows withdraws nothing: what
    lacks may be among the refused. -#}
{% macro weekly_versions(delivered, key, table_name) -%}
with delivered as (

    select * from {{ delivered }}

),

empty_files as (

    select * from {{ ref('int_renovation_coach__empty_files') }}
    where table_name = '{{ table_name }}'

),

files as (

    select distinct
        team,
        delivery_week,
        supplied_at,
        content_sha256,
        false as is_empty_and_full
    from delivered
    union all
    select
        team,
        delivery_week,
        supplied_at,
        content_sha256,
        is_full as is_empty_and_full
    from empty_files

),

newest_files as (

    select *
    from files
    qualify row_number() over (
        partition by team, delivery_week
        order by supplied_at desc, content_sha256 desc
    ) = 1

),

speaking as (

    select delivered.*
    from delivered
    inner join newest_files
        on
            delivered.team = newest_files.team
            and delivered.delivery_week is not distinct from newest_files.delivery_week
            and delivered.supplied_at = newest_files.supplied_at
            and delivered.content_sha256 = newest_files.content_sha256

),

keys as (

    select
        {{ key | join(', ') }},
        max(delivery_week) as last_week,
        max(delivery_week) filter (where is_correction) as corrected_in_week
    from speaking
    group by all

),

batch_counts as (

    select * from {{ ref('stg_pipeline__batch_counts') }}
    where source_name = 'renovation_coach' and table_name = '{{ table_name }}' and quarantined > 0

),

full_files as (

    select distinct
        team,
        delivery_week
    from speaking
    where is_snapshot and batch_id not in (select batch_counts.batch_id from batch_counts)
    union
    select
        team,
        delivery_week
    from newest_files
    where is_empty_and_full

),

withdrawals as (

    select
        {% for column in key %}keys.{{ column }}, {% endfor %}min(full_files.delivery_week) as withdrawn_in_week
    from keys
    inner join full_files
        on keys.team = full_files.team and keys.last_week < full_files.delivery_week
    group by all

)

select
    speaking.* exclude (is_snapshot),
    strptime(withdrawals.withdrawn_in_week || '-7', '%G-W%V-%u')::date as withdrawn_date
from speaking
inner join keys using ({{ key | join(', ') }})
left join withdrawals using ({{ key | join(', ') }})
where keys.corrected_in_week is null or speaking.delivery_week >= keys.corrected_in_week
{%- endmacro %}
