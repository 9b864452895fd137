-- The equivalents of the energy and climate pact: one dwelling and one of its nine measures, done since 2021 in a
-- project of at least ten enrolments or in a building of at least ten dwellings. A measure done twice, or told by two
-- teams, is one; so are the outer wall and its cavity.
with measures as (

    select * from {{ ref('int_renovation_coach__measures_current') }}

),

dossiers as (

    select * from {{ ref('int_renovation_coach__dossiers_current') }}

),

done as (

    select
        dossiers.dwelling_key,
        dossiers.sector_id,
        case when measures.measure in ('buitenmuur', 'spouwmuur') then 'muur' else measures.measure end as measure,
        measures.works_completed_date,
        measures.is_fossil_free,
        measures.collective_project_id,
        measures.known_at
    from measures
    inner join dossiers
        on measures.team = dossiers.team and measures.dossier_id = dossiers.dossier_id
    where
        measures.works_completed_date >= '2021-01-01'
        and {{ is_collective('measures', 'dossiers') }}
        and measures.measure in (
            'dak',
            'zolder',
            'vloer',
            'buitenmuur',
            'spouwmuur',
            'ramen_deuren',
            'zonneboiler',
            'ventilatie',
            'warmtepomp',
            'warmtepompboiler'
        )

)

select
    dwelling_key,
    measure,
    min(sector_id) as sector_id,
    min(works_completed_date) as works_completed_date,
    coalesce(bool_or(is_fossil_free), false) as is_fossil_free,
    arg_min(collective_project_id, (works_completed_date, collective_project_id)) as collective_project_id,
    max(known_at) as known_at
from done
group by dwelling_key, measure
