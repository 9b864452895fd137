"""`send`, `tell_data_team` and `tell_departments`: small jobs on the outbox; they never take the warehouse lock.

A mail a day tells the data team what failed, what was refused and who is silent.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.alerts.hours import OPENS
from orchestration.factories.asking import ENDED, ask, is_unfinished
from orchestration.factories.failures import reason_of
from orchestration.loop import messages, telling
from orchestration.loop.run_failures import note_run_failure
from orchestration.settings import Settings
from warehouse.state import OutboxMessage

_SENSOR_SECONDS = 30
_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=6)
_MOST_DOUBLED = 10
# after the suppliers were looked at, before the first coffee
_EVERY_MORNING = "15 7 * * *"
# when working hours begin: `alerts.hours`
_AT_OPENING = f"{OPENS.minute} {OPENS.hour} * * *"


@dg.op
def deliver(context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings]) -> None:
    """Delivers every message that waits; one that fails stays and is tried again."""
    result = messages.send(settings, datetime.now(UTC))
    context.log.info("%s sent, %s failed", result.sent, result.failed)


@dg.job
def send() -> None:
    """Empties the outbox."""
    deliver()


@dg.op
def write_to_data_team(context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings]) -> None:
    """Puts the mail of the day in the outbox, where there is something to tell."""
    new = messages.fill_data_team(settings, datetime.now(UTC))
    context.log.info("%s new messages", new)


@dg.job
def tell_data_team() -> None:
    """One mail a day: failed runs, refused files, silent sources."""
    write_to_data_team()


@dg.op
def write_to_departments(context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings]) -> None:
    """Puts in the outbox what waited for working hours, and on a Monday the digests of the week."""
    new = telling.fill_outbox(settings, datetime.now(UTC))
    context.log.info("%s new messages", new)


@dg.job
def tell_departments() -> None:
    """Every morning at eight: what the published build has to tell, also where nothing new arrived."""
    write_to_departments()


@dg.sensor(job=send, minimum_interval_seconds=_SENSOR_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def outbox_waits(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.RunRequest | dg.SkipReason:
    """Level-triggered: what waits is tried at once, and what failed again after a pause that grows."""
    now = datetime.now(UTC)
    if not messages.waiting_messages(settings, now):
        return dg.SkipReason("no message waits that is due")
    hold = messages.outbox_hold(settings)
    if hold is not None:
        return dg.SkipReason(str(messages.OutboxHeldError(hold)))
    waiting = messages.unsent(settings, now)
    if is_unfinished(context.instance, send.name):
        return dg.SkipReason("a sending is queued or running")
    pause = _pause(waiting)
    if pause and _sent_lately(context.instance, now - pause):
        return dg.SkipReason(f"{len(waiting)} messages failed; they are tried again {pause} after the last time")
    # the same messages as often tried: a run that broke before it tried any is not asked for at every tick
    return ask(context.instance, send.name, _digest(waiting), now, tried=ENDED)


def _pause(waiting: Sequence[OutboxMessage]) -> timedelta:
    """How long to wait after the last sending; nothing where a message was never tried."""
    attempts = min(message.attempts for message in waiting)
    return min(_FIRST_PAUSE * (2 ** min(attempts, _MOST_DOUBLED) // 2), _LONGEST_PAUSE) if attempts else timedelta()


def _sent_lately(instance: dg.DagsterInstance, since: datetime) -> bool:
    return bool(instance.get_run_records(dg.RunsFilter(job_name=send.name, updated_after=since), limit=1))


def _digest(waiting: Sequence[OutboxMessage]) -> str:
    tries = ((message.message_key, message.attempts) for message in waiting)
    return hashlib.sha256(repr(sorted(tries)).encode()).hexdigest()


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING)
def somebody_hears(context: dg.RunFailureSensorContext, settings: dg.ResourceParam[Settings]) -> None:
    """Notes every failed run for the mail of the day to the data team."""
    run = context.dagster_run
    failed = context.get_step_failure_events() or [context.failure_event]
    reason = "\n".join(map(reason_of, failed))
    note_run_failure(settings, run.job_name, run.run_id, reason, datetime.now(UTC))


def definitions(settings: Settings) -> dg.Definitions:
    """The jobs, what asks for them, and who hears of a failed run."""
    every_morning = dg.ScheduleDefinition(
        job=tell_data_team,
        cron_schedule=_EVERY_MORNING,
        execution_timezone=settings.city.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    at_opening = dg.ScheduleDefinition(
        job=tell_departments,
        cron_schedule=_AT_OPENING,
        execution_timezone=settings.city.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(
        jobs=[send, tell_data_team, tell_departments],
        schedules=[every_morning, at_opening],
        sensors=[outbox_waits, somebody_hears],
    )
