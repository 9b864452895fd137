"""The code location: what Dagster shows, when it asks for work, and that its jobs do the same as the steps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._core.storage.runs.schema import RunsTable

from orchestration.definitions import defs
from orchestration.factories import asking
from orchestration.factories.failures import reason_of
from orchestration.loop.build import build_lock
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.plan import why_due
from orchestration.loop.transform import parse
from orchestration.settings import Settings, read_settings
from tests.golden.keys import WRITTEN, golden_keys
from tests.orchestration.profiles import NOW
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from warehouse.lake import Lake
from warehouse.published.pointer import current
from warehouse.state import OutboxMessage, State

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def profile(own_demo: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A built demo profile as the one in the environment, its manifest prepared."""
    for name, value in own_demo.environment.items():
        monkeypatch.setenv(name, value)
    return own_demo


@pytest.fixture
def location(profile: Settings) -> dg.Definitions:
    assert profile.layout.dbt.exists()
    return defs()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Tick(Protocol):
    run_requests: list[dg.RunRequest]
    skip_message: str | None


def sensor_result(location: dg.Definitions, name: str, instance: DagsterInstance) -> Tick:
    context = dg.build_sensor_context(instance=instance, resources={"settings": read_settings()})
    return location.resolve_sensor_def(name).evaluate_tick(context)


def test_asset_keys_are_the_golden_ones(location: dg.Definitions) -> None:
    keys = sorted(key.to_user_string() for key in location.resolve_all_asset_keys())
    assert keys == golden_keys(), f"if this change is meant, write the new keys into {WRITTEN.name}"


def test_every_source_has_its_job_checks_and_trigger(location: dg.Definitions, profile: Settings) -> None:
    jobs = {job.name for job in location.resolve_all_job_defs()}
    assert {f"land_{name}" for name in profile.contracts()} | {"build", "send"} <= jobs
    checks = {
        (key.asset_key.path[1], key.name)
        for key in location.resolve_asset_graph().asset_check_keys
        if key.asset_key.path[0] == "landing"
    }
    assert checks == {
        (source, check) for source in profile.contracts() for check in ("honours_contract", "arrived_on_time")
    }
    assert {f"watch_{name}" for name in profile.contracts()} <= jobs
    for source in ("energy_meters", "indicators", "renovation_coach"):
        assert location.resolve_sensor_def(f"{source}_drop")
    for source in ("charge_points", "tickets_1777"):
        assert location.resolve_schedule_def(f"land_{source}_schedule").execution_timezone == "Europe/Brussels"


def test_measure_and_judge_are_each_one_step(location: dg.Definitions) -> None:
    nodes = {node.name for node in location.resolve_job_def("build").graph.nodes}
    assert nodes == {
        "build__recovered", "build__loaded", "measure", "quality__dq_verdict", "judge",
        "build__staged", "build__committed", "build__published", "build__outbox",
    }  # fmt: skip


def test_a_landing_job_fails_for_a_refused_file_and_still_lands_the_others(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    drop(profile, "indicators", "a.csv", "wrong\n")
    drop(profile, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    before = len(Lake(profile.layout.lake).manifests("indicators"))
    result = location.resolve_job_def("land_indicators").execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET
    )
    assert not result.success
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert "a.csv" in failure.error.message
    assert len(Lake(profile.layout.lake).manifests("indicators")) == before + 1
    (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "honours_contract"]
    assert not check.passed


def test_the_build_job_publishes_what_was_landed_and_says_only_what_that_changes_a_day_later(
    profile: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADEMRUIMTE_AS_OF", "2026-11-24")
    location = defs()
    counted = "trees_extra;34022;2026-11-15;18000;trees (additional);groen;2026-11-16;\n"
    drop(profile, "indicators", "b.csv", INDICATORS + counted)
    location.resolve_job_def("land_indicators").execute_in_process(instance=instance, run_config=QUIET)
    assert "batches" in (why_due(profile, NOW) or "")
    result = location.resolve_job_def("build").execute_in_process(instance=instance, run_config=QUIET)
    assert result.success
    lake = Lake(profile.layout.lake)
    made = lake.decisions()[-1]
    assert current(profile.layout.published) == made.build_id
    assert made.facts["as_of_date"] == "2026-11-24"
    assert lake.said(made).select("target_id", "value").rows() == [("trees_extra", 18_000)]
    materialized = {
        event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
    }
    assert {"marts/fct_kpi_observations", "verdicts/fct_target_verdicts", "build/published"} <= materialized
    told = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert {"quarters_fit_the_day_total", "no_measured_reading_was_downgraded"} <= set(told), "dbt's tests on data"
    assert "marts/dim_build" in materialized
    assert not any(key.startswith("staging/") for key in materialized), "a view holds nothing of its own"
    events = [event for event in instance.all_logs(result.run_id) if event.is_dagster_event]
    assert len(events) < 450, "each costs fifteen milliseconds; a build had 927"


def test_a_build_job_fails_when_another_build_holds_the_lock(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    with build_lock(profile):
        result = location.resolve_job_def("build").execute_in_process(
            instance=instance, raise_on_error=False, run_config=QUIET
        )
    assert not result.success


def test_a_build_is_asked_for_once_something_landed(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    quiet = sensor_result(location, "build_due", instance)
    assert not quiet.run_requests
    drop(profile, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    location.resolve_job_def("land_indicators").execute_in_process(instance=instance, run_config=QUIET)
    (request,) = sensor_result(location, "build_due", instance).run_requests
    assert "batches" in request.tags["due"]


def test_no_build_is_asked_for_while_one_runs(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    (profile.layout.published / "current.json").unlink()
    assert sensor_result(location, "build_due", instance).run_requests
    instance.create_run_for_job(location.resolve_job_def("build"), status=dg.DagsterRunStatus.STARTED)
    assert not sensor_result(location, "build_due", instance).run_requests


def ask_for_build(location: dg.Definitions, instance: DagsterInstance) -> dg.DagsterRun:
    """The run of the build that its sensor asks for, started."""
    (request,) = sensor_result(location, "build_due", instance).run_requests
    job = location.resolve_job_def("build")
    return instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=dict(request.tags))


def test_a_build_run_whose_host_died_is_ended_and_asked_for_again(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_GRACE", -timedelta(minutes=1))
    (profile.layout.published / "current.json").unlink()
    dead = ask_for_build(location, instance)
    with build_lock(profile):
        assert not sensor_result(location, "build_due", instance).run_requests, "it may still be alive"
    assert sensor_result(location, "build_due", instance).run_requests
    assert instance.get_run_by_id(dead.run_id).status is dg.DagsterRunStatus.FAILURE


def test_a_build_whose_worker_alone_was_killed_is_asked_for_again_at_once_but_not_for_ever(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    (profile.layout.published / "current.json").unlink()
    # as the code server does when the process of a run is gone
    instance.report_run_failed(ask_for_build(location, instance))
    instance.report_run_failed(ask_for_build(location, instance))
    assert not sensor_result(location, "build_due", instance).run_requests, "what dies every time needs a person"


def test_a_build_that_failed_itself_is_not_asked_for_again_at_once(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    drop(profile, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    location.resolve_job_def("land_indicators").execute_in_process(instance=instance, run_config=QUIET)
    (request,) = sensor_result(location, "build_due", instance).run_requests
    with build_lock(profile):
        location.resolve_job_def("build").execute_in_process(
            instance=instance, raise_on_error=False, run_config=QUIET, tags=dict(request.tags)
        )
    waits = sensor_result(location, "build_due", instance)
    assert not waits.run_requests
    assert "was tried" in waits.skip_message


def test_a_build_that_a_person_ended_does_not_start_again_at_once(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    (profile.layout.published / "current.json").unlink()
    instance.report_run_canceled(ask_for_build(location, instance))
    assert not sensor_result(location, "build_due", instance).run_requests


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_dropped_file_is_asked_for_once(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    assert not sensor_result(location, "indicators_drop", instance).run_requests
    drop(profile, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    assert len(sensor_result(location, "indicators_drop", instance).run_requests) == 1
    instance.create_run_for_job(location.resolve_job_def("land_indicators"), status=status)
    drop(profile, "indicators", "c.csv", INDICATORS + GOOD_ROW)
    assert not sensor_result(location, "indicators_drop", instance).run_requests, "that run may still take both"


def test_a_landing_whose_host_died_does_not_keep_the_next_file_waiting(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_GRACE", -timedelta(minutes=1))
    instance.create_run_for_job(location.resolve_job_def("land_indicators"), status=dg.DagsterRunStatus.STARTED)
    drop(profile, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    with one_at_a_time(profile, "indicators"):
        assert not sensor_result(location, "indicators_drop", instance).run_requests, "it may still be alive"
    assert sensor_result(location, "indicators_drop", instance).run_requests


def test_a_file_that_a_run_left_behind_is_not_asked_for_at_every_tick(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    drop(profile, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    (request,) = sensor_result(location, "indicators_drop", instance).run_requests
    job = location.resolve_job_def("land_indicators")
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS, tags=dict(request.tags))
    assert not sensor_result(location, "indicators_drop", instance).run_requests
    drop(profile, "indicators", "c.csv", INDICATORS + GOOD_ROW)
    assert sensor_result(location, "indicators_drop", instance).run_requests


def test_every_job_runs_in_the_process_of_its_run(location: dg.Definitions) -> None:
    executors = {job.name: job.executor_def.name for job in location.resolve_all_job_defs()}
    assert set(executors.values()) == {"in_process"}, executors


def test_the_check_names_the_file_the_reasons_and_where_the_refused_rows_lie(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    drop(profile, "indicators", "half.csv", INDICATORS + GOOD_ROW + GOOD_ROW.replace("17600", "veel"))
    result = location.resolve_job_def("land_indicators").execute_in_process(instance=instance, run_config=QUIET)
    (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "honours_contract"]
    assert not check.passed
    told = check.metadata["refused_rows"].value
    assert told.startswith("half.csv: 1 of 2 rows refused (value: cannot be read × 1), in ")
    assert Path(told.partition(", in ")[2]).is_file()


def test_a_refusal_fails_its_run_in_words_without_a_trace(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    drop(profile, "indicators", "a.csv", "wrong\n")
    result = location.resolve_job_def("land_indicators").execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET
    )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    assert error.message == reason_of(failure)
    assert error.message.startswith("indicators: a.csv")
    assert not error.stack
    assert error.cause is None


# --- the outbox and the data team -------------------------------------------------------------------------------


def put_in_outbox(profile: Settings, *, attempts: int = 0) -> None:
    profile.layout.state.unlink(missing_ok=True)
    with State(profile.layout.state) as state:
        state.enqueue([OutboxMessage("key", "klimaat", "2026-W48", "build", "subject", b"mail", NOW)])
        for _ in range(attempts):
            state.mark_failed("key", "no answer", NOW)


def sent_ago(location: dg.Definitions, instance: DagsterInstance, ago: timedelta) -> None:
    moment = datetime.now(UTC) - ago
    run = instance.create_run_for_job(location.resolve_job_def("send"))
    instance.report_run_canceled(run)
    with instance.run_storage.connect() as con:
        con.execute(RunsTable.update().values(update_timestamp=moment.replace(tzinfo=None)))


def test_nothing_is_sent_where_no_message_waits(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    profile.layout.state.unlink()
    assert not sensor_result(location, "outbox_waits", instance).run_requests


def test_a_new_message_is_sent_at_once_and_asked_for_once(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    put_in_outbox(profile)
    (request,) = sensor_result(location, "outbox_waits", instance).run_requests
    job = location.resolve_job_def("send")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=dict(request.tags))
    assert not sensor_result(location, "outbox_waits", instance).run_requests, "that run sends it"
    instance.report_run_canceled(run)
    assert not sensor_result(location, "outbox_waits", instance).run_requests, "it broke before it tried"


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 5), (2, 10), (4, 40), (20, 360)])
def test_a_message_that_failed_is_tried_again_after_a_growing_pause(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance, attempts: int, minutes: int
) -> None:
    put_in_outbox(profile, attempts=attempts)
    sent_ago(location, instance, timedelta(minutes=minutes - 1))
    assert not sensor_result(location, "outbox_waits", instance).run_requests
    sent_ago(location, instance, timedelta(minutes=minutes + 1))
    assert sensor_result(location, "outbox_waits", instance).run_requests


def test_a_failed_run_is_noted_for_the_mail_of_the_day_to_the_data_team(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    with build_lock(profile):
        failed = location.resolve_job_def("build").execute_in_process(
            instance=instance, raise_on_error=False, run_config=QUIET
        )
    event = failed.get_run_failure_event()
    heard = location.resolve_sensor_def("somebody_hears")
    context = dg.build_run_status_sensor_context(
        "somebody_hears", event, instance, failed.dagster_run, resources={"settings": profile}
    )
    heard(context.for_run_failure())
    with State(profile.layout.state) as state:
        (noted,) = state.failures(None)
    assert (noted.job, noted.run_id) == ("build", failed.run_id)
    assert noted.reason.startswith("another build of kortrijk is running"), "in words, without the name of a class"
    done = location.resolve_job_def("tell_data_team").execute_in_process(instance=instance, run_config=QUIET)
    assert done.success
    with State(profile.layout.state) as state:
        mails = [each.message.decode() for each in state.unsent()]
    assert any("another build of kortrijk" in mail.replace("=\n", "") for mail in mails)


def test_a_refused_file_is_not_asked_for_until_it_changes(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    drop(profile, "indicators", "a.csv", "wrong\n")
    location.resolve_job_def("land_indicators").execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET
    )
    assert not sensor_result(location, "indicators_drop", instance).run_requests
    drop(profile, "indicators", "a.csv", INDICATORS + GOOD_ROW)
    assert len(sensor_result(location, "indicators_drop", instance).run_requests) == 1


def test_a_refused_file_is_asked_for_again_when_its_manifest_came_or_changed(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    path = drop(profile, "renovation_coach", "renovatie_2026-W44_kortrijk.csv", "dossier;team\n")
    location.resolve_job_def("land_renovation_coach").execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET
    )
    assert not sensor_result(location, "renovation_coach_drop", instance).run_requests
    path.with_name(f"{path.name}.manifest.json").write_text('{"minder_is_juist": true}', encoding="utf-8")
    assert len(sensor_result(location, "renovation_coach_drop", instance).run_requests) == 1


@pytest.mark.parametrize(("days_silent", "on_time"), [(1, True), (10, False)])
def test_a_supplier_silent_for_too_long_fails_the_freshness_check(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance, days_silent: int, *, on_time: bool
) -> None:
    profile.layout.state.unlink()
    with State(profile.layout.state) as state:
        state.asked("renovation_coach", None, datetime.now(UTC) - timedelta(days=days_silent), None)
    result = location.resolve_job_def("watch_renovation_coach").execute_in_process(instance=instance, run_config=QUIET)
    checks = {(check.check_name, check.passed) for check in result.get_asset_check_evaluations()}
    assert checks == {("arrived_on_time", on_time)}


def test_a_location_without_a_manifest_says_what_to_do(profile: Settings) -> None:
    (profile.layout.dbt / "target" / "manifest.json").unlink()
    with pytest.raises(FileNotFoundError, match="ademruimte prepare"):
        defs()
    parse(profile)
    assert defs()
