{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('tickets_1777', 'events', [
    'service_request_id', 'event_id', 'event_type', 'status', 'actor_role', 'event_at', 'event_date',
]) }}
