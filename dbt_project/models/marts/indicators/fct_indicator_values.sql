-- Every value that was ever told, corrected ones included; the last revision is the one that counts.
with observations as (

    select * from {{ ref('int_indicators__observations_shown') }}

),

distinct_values as (

    select
        kpi_id,
        area_id,
        ref_date,
        value,
        unit,
        uncertainty_low,
        uncertainty_high,
        source_name,
        published_date,
        is_checked,
        max(supplied_at) as last_supplied_at,
        max(content_sha256) as last_content_sha256,
        min(known_at) as known_at
    from observations
    group by all

),

numbered as (

    select
        *,
        row_number() over (
            partition by kpi_id, area_id, ref_date
            order by published_date nulls first, last_supplied_at, last_content_sha256, value
        ) as revision_no,
        count(*) over (partition by kpi_id, area_id, ref_date) as revisions
    from distinct_values

)

select
    kpi_id,
    area_id,
    ref_date,
    ref_date as date_key,
    revision_no,
    revision_no = revisions as is_current,
    value,
    unit,
    uncertainty_low,
    uncertainty_high,
    source_name,
    published_date,
    published_date - ref_date as publication_lag_days,
    is_checked,
    known_at
from numbered
order by kpi_id, area_id, ref_date, revision_no
