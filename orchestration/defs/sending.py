"""`send`: a small job on the outbox; it never takes the warehouse lock."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.loop.messages import send as send_outbox
from orchestration.settings import read_settings


@dg.op
def deliver(context: dg.OpExecutionContext) -> None:
    """Delivers every message that waits; one that fails stays and is tried again."""
    result = send_outbox(read_settings(), datetime.now(UTC))
    context.log.info("%s sent, %s failed", result.sent, result.failed)


@dg.job(executor_def=dg.in_process_executor)
def send() -> None:
    """Empties the outbox."""
    deliver()


def definitions() -> dg.Definitions:
    """The job and its schedule."""
    every_five_minutes = dg.ScheduleDefinition(
        job=send, cron_schedule="*/5 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING
    )
    return dg.Definitions(jobs=[send], schedules=[every_five_minutes])
