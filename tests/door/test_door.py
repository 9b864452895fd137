"""Through the door that the data team enters by: web server, daemon and code server as `ademruimte dev` starts them.

These tests tell one story and run in this order; the last one shoots what the others use.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestration.loop.plan import why_due
from orchestration.settings import read_settings
from tests.door.conftest import ROOT, Door, command, environment, free_port, processes_of
from tests.golden.keys import golden_keys
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from warehouse.lake import Lake
from warehouse.published.pointer import current
from warehouse.state import RunFailure, State

pytestmark = pytest.mark.door

_SELECTED = '{repositoryName: "__repository__", repositoryLocationName: "orchestration.definitions"}'
_DEFINITIONS = """{ assetNodes { assetKey { path } jobNames opNames description groupName isMaterializable
    metadataEntries { label __typename } assetChecksOrError { ... on AssetChecks { checks { name } } } } }"""
_TRIGGERS = f"""{{
  sensorsOrError(repositorySelector: {_SELECTED}) {{ __typename
    ... on Sensors {{ results {{ name sensorState {{ status }} }} }} }}
  schedulesOrError(repositorySelector: {_SELECTED}) {{ __typename
    ... on Schedules {{ results {{ name executionTimezone scheduleState {{ status }} }} }} }} }}"""
_RUNS = """query($job: String!) { runsOrError(filter: {pipelineName: $job}, limit: 5) { ... on Runs { results {
    runId status creationTime startTime endTime } } } }"""
_FAILURE = """query($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events { __typename
    ... on ExecutionStepFailureEvent { error { message stack causes { message } } }
    ... on AssetCheckEvaluationEvent { evaluation { checkName success metadataEntries { label
        ... on TextMetadataEntry { text } } } } } } } }"""
_BROKEN = """
import sys

class Broken:
    def find_spec(self, name, *_):
        if name == "orchestration.defs.sending":
            raise ImportError("somebody broke sending.py")

sys.meta_path.insert(0, Broken())
"""


def runs(door: Door, job: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = door.ask(_RUNS, job=job)["runsOrError"]["results"]
    return found


def first_after(door: Door, job: str, since: float, status: str = "") -> Callable[[], Mapping[str, Any] | None]:
    """Looks for the first run of a job that was asked for after a moment, once it has the status."""

    def look() -> Mapping[str, Any] | None:
        found = [each for each in reversed(runs(door, job)) if each["creationTime"] >= since]
        return next((each for each in found if not status or each["status"] == status), None)

    return look


def failures(door: Door) -> list[RunFailure]:
    with State(door.settings.layout.state) as state:
        return state.failures(None)


def test_the_repository_with_every_asset_is_there(door: Door) -> None:
    nodes = {"/".join(node["assetKey"]["path"]): node for node in door.ask(_DEFINITIONS)["assetNodes"]}
    assert sorted(nodes) == golden_keys()
    for contract in door.settings.contracts().values():
        for table in contract.tables:
            node = nodes[f"landing/{contract.name}/{table.name}"]
            assert node["description"] == table.description
            assert f"land_{contract.name}" in node["jobNames"]
            assert {check["name"] for check in node["assetChecksOrError"]["checks"]} == {
                "honours_contract", "arrived_on_time",
            }  # fmt: skip


def test_a_misspelt_setting_is_told_by_the_command_and_by_dagster(door: Door) -> None:
    told = "ADEMRUIMTE_SMTP_HSOT is no setting and is passed over; did you mean ADEMRUIMTE_SMTP_HOST?"
    lines = [line for line in door.output.read_text("utf-8").splitlines() if told in line]
    # ours begin with the seconds since the start
    assert {line.endswith(f" s  {told}") for line in lines} == {True, False}


def test_every_sensor_and_schedule_runs_in_the_time_of_the_city(door: Door) -> None:
    found = door.ask(_TRIGGERS)
    sensors = {each["name"]: each["sensorState"]["status"] for each in found["sensorsOrError"]["results"]}
    schedules = found["schedulesOrError"]["results"]
    assert {"build_due", "outbox_waits", "somebody_hears", "indicators_drop"} <= set(sensors)
    assert set(sensors.values()) == {"RUNNING"}
    assert {each["scheduleState"]["status"] for each in schedules} == {"RUNNING"}
    assert {each["executionTimezone"] for each in schedules} == {"Europe/Brussels"}
    assert "tell_data_team_schedule" in {each["name"] for each in schedules}


def test_a_good_file_is_landed_built_and_published_by_the_daemon(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    # what changed before the daemon started is not what the file asks for
    door.wait_for("quiet", lambda: why_due(door.settings, datetime.now(UTC)) is None)
    before = current(door.settings.layout.published)
    dropped = time.time()
    drop(door.settings, "indicators", "goed.csv", INDICATORS + GOOD_ROW)
    landed = door.wait_for("landed file", first_after(door, "land_indicators", dropped, "SUCCESS"))
    built = door.wait_for("build", first_after(door, "build", landed["endTime"], "SUCCESS"))
    published = current(door.settings.layout.published)
    assert published != before
    last = Lake(door.settings.layout.lake).decisions()[-1]
    assert last.build_id == published
    assert {each.batch_id for each in Lake(door.settings.layout.lake).live("indicators")} <= set(last.facts["batches"])
    moments = [
        ("land run started", landed["startTime"]),
        ("landed", landed["endTime"]),
        ("build run started", built["startTime"]),
        ("published", built["endTime"]),
    ]
    legs = [f"{name:>18}  {end - begin:6.1f} s" for (_, begin), (name, end) in pairwise([("", dropped), *moments])]
    legs.append(f"{'drop to published':>18}  {built['endTime'] - dropped:6.1f} s")
    with capfd.disabled():
        sys.stdout.write("\n" + "\n".join(legs) + "\n")


def test_a_bad_file_is_refused_in_words_and_without_a_trace(door: Door) -> None:
    dropped = time.time()
    drop(door.settings, "indicators", "slecht.csv", "wrong\n")
    run = door.wait_for("refusal", first_after(door, "land_indicators", dropped, "FAILURE"))
    events = door.ask(_FAILURE, run=run["runId"])["logsForRun"]["events"]
    (failure,) = [each["error"] for each in events if each["__typename"] == "ExecutionStepFailureEvent"]
    assert "indicators: slecht.csv" in failure["message"]
    assert failure["message"].startswith("indicators")
    assert not failure["stack"]
    assert not failure["causes"]
    (check,) = [each["evaluation"] for each in events if each["__typename"] == "AssetCheckEvaluationEvent"]
    assert not check["success"]
    assert any("slecht.csv" in (entry.get("text") or "") for entry in check["metadataEntries"])
    (heard,) = door.wait_for(
        "note for the data team", lambda: [each for each in failures(door) if each.run_id == run["runId"]]
    )
    assert "slecht.csv" in heard.reason


def test_a_location_that_does_not_load_is_said_and_ends_with_a_code(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_BROKEN)
    done = subprocess.run(
        command("dev", "--port", str(free_port())),
        cwd=tmp_path,
        env=environment(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert "the code location does not load" in done.stdout
    assert "somebody broke sending.py" in done.stdout
    assert "start `ademruimte dev` again" in done.stdout
    assert not processes_of(read_settings({"ADEMRUIMTE_HOME": str(tmp_path / "var" / "demo")}))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells which process works on what")
def test_a_killed_parent_leaves_no_process_behind(door: Door) -> None:
    settings = door.settings
    assert len(processes_of(settings)) >= 4, "code server, its child, daemon and web server"
    door.process.kill()
    door.process.wait()
    until = time.monotonic() + 60
    while time.monotonic() < until and processes_of(settings):
        time.sleep(0.2)
    assert not processes_of(settings)
