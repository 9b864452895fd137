"""The code location: what Dagster shows, when it asks for work, and that its jobs do the same as the steps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import dagster as dg
import pytest
from dagster import DagsterInstance

from orchestration.definitions import defs
from orchestration.defs import build as build_definitions
from orchestration.loop.build import build_lock
from orchestration.loop.plan import why_due
from orchestration.loop.transform import parse
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from warehouse.lake import Lake
from warehouse.published.pointer import current
from warehouse.state import State

GOLDEN = Path(__file__).parents[1] / "golden" / "asset_keys.txt"
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
    cursor: str | None


def sensor_result(location: dg.Definitions, name: str, instance: DagsterInstance, cursor: str | None = None) -> Tick:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    return location.resolve_sensor_def(name).evaluate_tick(context)


def test_asset_keys_are_the_golden_ones(location: dg.Definitions) -> None:
    keys = sorted(key.to_user_string() for key in location.resolve_all_asset_keys())
    assert keys == GOLDEN.read_text("utf-8").split(), f"if this change is meant, write the new keys into {GOLDEN.name}"


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
    assert "a.csv" in failure.user_failure_data.description
    assert len(Lake(profile.layout.lake).manifests("indicators")) == before + 1
    (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "honours_contract"]
    assert not check.passed


def test_the_build_job_publishes_what_was_landed_and_says_only_what_that_changes_a_day_later(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADEMRUIMTE_AS_OF", "2026-11-24")
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
    assert len(result.get_asset_check_evaluations()) > 50, "dbt's tests are checks of the assets they test"


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
    (profile.layout.published / "current").unlink()
    assert sensor_result(location, "build_due", instance).run_requests
    instance.create_run_for_job(location.resolve_job_def("build"), status=dg.DagsterRunStatus.STARTED)
    assert not sensor_result(location, "build_due", instance).run_requests


def test_a_build_run_whose_host_died_is_ended_and_asked_for_again(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_definitions, "_GRACE", -timedelta(minutes=1))
    (profile.layout.published / "current").unlink()
    dead = instance.create_run_for_job(location.resolve_job_def("build"), status=dg.DagsterRunStatus.STARTED)
    with build_lock(profile):
        assert not sensor_result(location, "build_due", instance).run_requests, "it may still be alive"
    assert sensor_result(location, "build_due", instance).run_requests
    assert instance.get_run_by_id(dead.run_id).status is dg.DagsterRunStatus.FAILURE


def test_a_dropped_file_is_asked_for_once(
    location: dg.Definitions, profile: Settings, instance: DagsterInstance
) -> None:
    assert not sensor_result(location, "indicators_drop", instance).run_requests
    drop(profile, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    tick = sensor_result(location, "indicators_drop", instance)
    assert len(tick.run_requests) == 1
    assert not sensor_result(location, "indicators_drop", instance, tick.cursor).run_requests


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
        state.asked("renovation_coach", None, datetime.now(UTC) - timedelta(days=days_silent))
    result = location.resolve_job_def("watch_renovation_coach").execute_in_process(instance=instance, run_config=QUIET)
    checks = {(check.check_name, check.passed) for check in result.get_asset_check_evaluations()}
    assert checks == {("arrived_on_time", on_time)}


def test_a_location_without_a_manifest_says_what_to_do(profile: Settings) -> None:
    (profile.layout.dbt / "target" / "manifest.json").unlink()
    with pytest.raises(FileNotFoundError, match="ademruimte prepare"):
        defs()
    parse(profile)
    assert defs()
