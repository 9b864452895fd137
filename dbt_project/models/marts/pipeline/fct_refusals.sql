-- A reason that a supplier was once given is a row in each later week it delivered, also when it is no longer given:
-- a fault that went away is a zero, not a gap.
with batches as (

    select
        batch_id,
        {{ supplier_of('origin') }} as supplier,
        supplied_at
    from {{ ref('stg_pipeline__batches') }}

),

cities as (

    select * from {{ ref('city') }}

),

counts as (

    select * from {{ ref('stg_pipeline__batch_counts') }}

),

refusals as (

    select * from {{ ref('stg_pipeline__refusals') }}

),

deliveries as (

    select
        counts.batch_id,
        counts.source_name,
        counts.table_name,
        batches.supplier,
        date_trunc('week', timezone(cities.time_zone, batches.supplied_at))::date as week_start_date,
        counts.received,
        counts.quarantined
    from counts
    inner join batches
        on counts.batch_id = batches.batch_id
    cross join cities

),

weeks as (

    select
        source_name,
        supplier,
        table_name,
        week_start_date,
        sum(received)::bigint as received,
        sum(quarantined)::bigint as refused_for_any_reason
    from deliveries
    group by source_name, supplier, table_name, week_start_date

),

given as (

    select
        deliveries.source_name,
        deliveries.supplier,
        deliveries.table_name,
        deliveries.week_start_date,
        refusals.reason_code,
        refusals.column_name,
        max(refusals.reason) as reason,
        max(refusals.reason_nl) as reason_nl,
        sum(refusals.refused)::bigint as refused
    from refusals
    inner join deliveries
        on
            refusals.batch_id = deliveries.batch_id
            and refusals.table_name = deliveries.table_name
    group by all

),

reasons as (

    select
        source_name,
        supplier,
        table_name,
        reason_code,
        column_name,
        -- the wording of the newest week, where it was improved
        arg_max(reason, row(week_start_date, reason)) as reason,
        arg_max(reason_nl, row(week_start_date, reason_nl)) as reason_nl,
        min(week_start_date) as first_week_date
    from given
    group by source_name, supplier, table_name, reason_code, column_name

),

per_reason as (

    select
        weeks.*,
        reasons.reason_code,
        reasons.column_name,
        reasons.reason,
        reasons.reason_nl,
        coalesce(sum(given.refused), 0)::bigint as refused
    from weeks
    inner join reasons
        on
            weeks.source_name = reasons.source_name
            and weeks.supplier = reasons.supplier
            and weeks.table_name = reasons.table_name
            and weeks.week_start_date >= reasons.first_week_date
    left join given
        on
            weeks.source_name = given.source_name
            and weeks.supplier = given.supplier
            and weeks.table_name = given.table_name
            and weeks.week_start_date = given.week_start_date
            and reasons.reason_code = given.reason_code
            and reasons.column_name = given.column_name
    group by all

),

trended as (

    select
        *,
        refused / nullif(received, 0)::double as refused_share,
        lag(refused / nullif(received, 0)::double) over rule_weeks as previous_share,
        sum(refused) over last_four / nullif(sum(received) over last_four, 0)::double as share_of_four_weeks
    from per_reason
    window
        rule_weeks as (
            partition by source_name, supplier, table_name, reason_code, column_name
            order by week_start_date
        ),
        last_four as (
            partition by source_name, supplier, table_name, reason_code, column_name
            order by week_start_date
            rows between 3 preceding and current row
        )

)

select
    source_name,
    supplier,
    table_name,
    reason_code,
    column_name,
    reason,
    reason_nl,
    week_start_date,
    week_start_date as date_key,
    received,
    refused,
    refused_for_any_reason,
    refused_share,
    previous_share,
    share_of_four_weeks,
    case
        when previous_share is null then 'nieuw'
        when refused_share > previous_share then 'stijgt'
        when refused_share < previous_share then 'daalt'
        else 'gelijk'
    end as trend_nl
from trended
order by source_name, supplier, table_name, reason_code, column_name, week_start_date
