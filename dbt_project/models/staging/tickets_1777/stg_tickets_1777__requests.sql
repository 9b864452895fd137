{#- made from the contract code by `ademruimte contracts write`; do not edit -#}
{{ landed('tickets_1777', 'requests', [
    'service_request_id', 'status', 'state', 'status_description', 'service_code', 'service_name', 'service_subtype',
    'agency_responsible', 'zipcode', 'sector_id', 'channel', 'duplicate_of', 'is_first_line', 'has_text',
    'requested_at', 'updated_at', 'expected_at', 'closed_at', 'is_closing_derived', 'put_later_seconds',
    'requested_date',
]) }}
