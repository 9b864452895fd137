{{ config(tags=['data']) }}

select
    daily.ean,
    daily.reading_date
from {{ ref('int_energy_meters__readings_daily') }} as daily
inner join {{ ref('int_sources_complete') }} as sources_complete
    on sources_complete.source_name = 'energy_meters'
where daily.reading_date > sources_complete.ref_date
