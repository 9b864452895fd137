"""Dagster's own storage: history of runs only; correctness never depends on it."""

import dagster as dg
from dagster import DagsterInstance

from orchestration.environment import point_dagster
from orchestration.settings import Settings

# one build at a time; slots of a dead run come free; nothing is sent to anyone, and nobody is asked for an address
_CONFIG = """\
telemetry:
  enabled: false
nux:
  enabled: false
python_logs:
  managed_python_loggers: [ademruimte]
  python_log_level: INFO
concurrency:
  pools:
    default_limit: 1
  runs:
    max_concurrent_runs: 2
    tag_concurrency_limits:
      - key: job
        value: build
        limit: 1
run_monitoring:
  enabled: true
  # a run whose whole host died stays started for ever; this ends it and frees its slot
  max_runtime_seconds: 7200
  # what waits moves within a minute: a worker that was killed gives back its pool at the next poll, and one killed
  # before its run began, of which nobody else knows, is given up; a start takes some five seconds
  poll_interval_seconds: 5
  start_timeout_seconds: 30
  free_slots_after_run_end_seconds: 5
"""


def prepare_instance(settings: Settings) -> None:
    """Writes `dagster.yaml` and points this process and its children at this profile."""
    folder = settings.layout.dagster
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(_CONFIG, encoding="utf-8")
    point_dagster(settings)


def run_job(name: str, settings: Settings) -> dg.ExecuteInProcessResult:
    """Runs a job of a prepared profile in this process, recorded where the Dagster UI will find it."""
    from orchestration.definitions import definitions_of  # noqa: PLC0415 - reads what was just prepared

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with DagsterInstance.get() as instance:
        job = definitions_of(settings).resolve_job_def(name)
        return job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
