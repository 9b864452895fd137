select
    started_at,
    ended_at,
    is_full,
    location_count,
    evse_count,
    sessions_from_date,
    sessions_to_date,
    crawl_date,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('charge_points', 'crawls') }}
