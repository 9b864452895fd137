"""When a sensor may ask for a run: one of a job at a time, and not again at once for what has just been done.

Belongs here: what Dagster's history of runs says about asking. Does not belong here: whether there is work.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import dagster as dg

RETRY_AFTER = timedelta(minutes=10)
_WORK = "work"
_FAILURE_REASON = "dagster/failure_reason"
# what Dagster notes of a run that ended itself; a run that was killed has another reason, or none
_FAILED_ITSELF = {"STEP_FAILURE", "RUN_EXCEPTION", "JOB_INITIALIZATION_FAILURE"}
# one that dies at every try, for want of memory, may not be started for ever
_MOST_DEATHS = 1
# a run that has just started may not hold its lock yet: between the two lie no imports, only its first step
_GRACE = timedelta(seconds=30)
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# one that a person ended may not start again before that person looked
FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
ENDED = (*FAILED, dg.DagsterRunStatus.SUCCESS)


def is_unfinished(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of a job is queued or running: it may still do the work that waits."""
    return bool(instance.get_run_records(dg.RunsFilter(job_name=job, statuses=_UNFINISHED), limit=1))


def ask(
    instance: dg.DagsterInstance,
    job: str,
    work: str,
    now: datetime,
    *,
    tried: tuple[dg.DagsterRunStatus, ...] = FAILED,
    **tags: str,
) -> dg.RunRequest | dg.SkipReason:
    """Asks for a run, unless this very work was tried a moment ago: asking at every tick would only fill the log.

    A run that was killed tried nothing: it is asked for again at once, though not a second time.

    Args:
        instance: that holds the history of runs.
        job: that would do the work.
        work: names what the run would do; the same again has the same name.
        now: when this is.
        tried: which ends of a run count as a try.
        tags: of the run.
    """
    ended = dg.RunsFilter(job_name=job, statuses=list(tried), tags={_WORK: work}, updated_after=now - RETRY_AFTER)
    runs = [record.dagster_run for record in instance.get_run_records(ended)]
    if any(not _died(run) for run in runs) or len(runs) > _MOST_DEATHS:
        return dg.SkipReason(f"the same was tried less than {RETRY_AFTER} ago: see that run of {job}")
    return dg.RunRequest(tags={_WORK: work, **tags})


def _died(run: dg.DagsterRun) -> bool:
    return run.status is dg.DagsterRunStatus.FAILURE and run.tags.get(_FAILURE_REASON) not in _FAILED_ITSELF


def end_dead_runs(instance: dg.DagsterInstance, job: str, is_alive: Callable[[], bool], now: datetime) -> None:
    """Ends the runs of a job whose process is gone: they hold no lock, and nothing else would ever end them.

    Dagster notices a killed run only while the process that started it lives; after a power cut the run
    stays started and would keep every later one waiting.

    Args:
        instance: that holds the history of runs.
        job: that takes a lock for as long as it runs.
        is_alive: whether some process holds that lock.
        now: when this is.
    """
    started = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.STARTED], updated_before=now - _GRACE)
    for record in instance.get_run_records(started):
        if not is_alive():
            instance.report_run_failed(record.dagster_run, f"its process is gone: it no longer holds the lock of {job}")
