{{ config(tags=['structure', 'judge'], severity='error') }}

select target_id
from {{ ref('fct_target_verdicts') }}
where
    -- a value from before the start is no figure of this target yet
    (value is not null and status = 'no_data' and ref_date >= coalesce(baseline_date, ref_date))
    or (value is null and status not in ('no_data', 'cancelled', 'contested', 'not_started', 'unverified'))
    or (value is null and (required_value is not null or gap is not null))
