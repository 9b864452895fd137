{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('charge_points', 'crawls', [
    'started_at', 'ended_at', 'is_full', 'location_count', 'evse_count', 'sessions_from_date', 'sessions_to_date',
    'crawl_date',
]) }}
