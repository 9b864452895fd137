-- A team is expected from its first week on, every week: of the teams expected in a week, how many delivered it. A file
-- of a later week that holds all dossiers of its team tells of the weeks before too.
with batches as (

    select
        batch_id,
        lower(origin) as origin
    from {{ ref('stg_pipeline__batches') }}
    where source_name = 'renovation_coach' and regexp_matches(lower(origin), '^renovatie_\d{4}-w\d{2}_[a-z]+')

),

-- said in the name, or in the manifest beside the file
full_batches as (

    select distinct batch_id from {{ ref('stg_pipeline__batch_counts') }}
    where is_full

),

files as (

    select
        upper(regexp_extract(batches.origin, '^renovatie_(\d{4}-w\d{2})_', 1)) as week_label,
        regexp_extract(batches.origin, '^renovatie_\d{4}-w\d{2}_([a-z]+)', 1) as team,
        full_batches.batch_id is not null or contains(batches.origin, 'volledig') as is_snapshot
    from batches
    left join full_batches
        on batches.batch_id = full_batches.batch_id

),

teams as (

    select
        team,
        min(week_label) as first_week_label,
        max(week_label) filter (where is_snapshot) as last_snapshot_label
    from files
    group by team

),

weeks as (

    select distinct week_label from files

),

deliveries as (

    select distinct
        week_label,
        team
    from files

)

select
    weeks.week_label,
    count(*) as teams_expected,
    count(*) filter (
        where deliveries.team is not null or weeks.week_label < teams.last_snapshot_label
    ) as teams_delivered,
    count(*) filter (
        where deliveries.team is not null or weeks.week_label < teams.last_snapshot_label
    ) / count(*)::double as completeness
from weeks
inner join teams
    on weeks.week_label >= teams.first_week_label
left join deliveries
    on
        weeks.week_label = deliveries.week_label
        and teams.team = deliveries.team
group by weeks.week_label
