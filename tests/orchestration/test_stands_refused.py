"""A refused file is not tried again until something changed; what is not its fault is not held against it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import dagster as dg
import pytest

from orchestration.factories.landing_assets import landing_definitions
from orchestration.loop import dropped
from orchestration.loop.dropped import waiting_files
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from tests.orchestration.test_register_of_buildings import HALL
from tests.orchestration.test_register_of_buildings import _export as export_of
from tests.orchestration.test_register_of_buildings import _register as register_of
from warehouse.lake import Lake
from warehouse.state import Refusal, State

REQUESTS = "service_request_id;requested_datetime;status;lat;long\nR-1;2026-11-02T10:00:00Z;open;50.82;3.26\n"
ROOT = Path(dropped.__file__).parents[2]
FAR = datetime(2100, 1, 1, tzinfo=UTC)
STARTED = {"dagster/schedule_name": "land_indicators_schedule"}


@pytest.fixture
def settings(empty_profile: Callable[..., Settings]) -> Settings:
    return empty_profile()


def ask(settings: Settings, source: str = "indicators", now: datetime = NOW, *, is_asked: bool = False) -> list[Landed]:
    """A landing that no person asked for, unless it says so."""
    return land(settings, settings.contracts()[source], now, is_asked=is_asked)


def outcomes(results: list[Landed]) -> list[Outcome]:
    return [result.outcome for result in results]


def refusals(settings: Settings) -> list[Refusal]:
    with State(settings.layout.state) as state:
        return state.refusals()


# --- whose fault it is ------------------------------------------------------------------------------------------


def test_boundaries_that_cannot_be_read_are_not_held_against_the_file_that_needed_them(settings: Settings) -> None:
    settings.boundaries.write_text("no areas", encoding="utf-8")
    drop(settings, "tickets_1777", "vragen.csv", REQUESTS)
    (refused,) = ask(settings, "tickets_1777")
    assert refused.outcome is Outcome.REFUSED
    assert "boundaries.geojson: is no GeoJSON FeatureCollection" in refused.message
    assert "ADEMRUIMTE_BOUNDARIES" in refused.message
    assert refusals(settings) == []
    settings.boundaries.unlink()
    assert outcomes(ask(settings, "tickets_1777")) == [Outcome.LANDED]


def test_an_older_batch_that_is_torn_is_not_held_against_the_file_that_came_after_it(settings: Settings) -> None:
    drop(settings, "indicators", "a.csv", INDICATORS + GOOD_ROW)
    ask(settings)
    lake = Lake(settings.layout.lake)
    (batch,) = lake.live()
    accepted = lake.file(batch, "observations", "accepted")
    whole = accepted.read_bytes()
    accepted.write_bytes(whole[:100])
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW.replace("17600", "17700"))
    (refused,) = ask(settings)
    assert refused.outcome is Outcome.REFUSED
    assert f"batch {batch.batch_id}: accepted/observations.parquet cannot be read" in refused.message
    assert "restore it from the backup" in refused.message
    assert refusals(settings) == []
    accepted.write_bytes(whole)
    assert outcomes(ask(settings)) == [Outcome.LANDED]


def test_a_register_that_is_torn_is_not_held_against_the_file_that_needs_it(settings: Settings) -> None:
    drop(settings, "buildings", "gebouwen.csv", register_of(HALL))
    assert outcomes(ask(settings, "buildings")) == [Outcome.LANDED]
    lake = Lake(settings.layout.lake)
    (batch,) = lake.live("buildings")
    for name in batch.tables:
        lake.file(batch, name, "accepted").write_bytes(b"PAR1")
    drop(settings, "energy_meters", "verbruik.csv", export_of(HALL))
    (refused,) = ask(settings, "energy_meters")
    assert f"buildings: batch {batch.batch_id}: accepted/" in refused.message
    assert refusals(settings) == []


def test_what_a_landed_file_closes_is_not_told_when_an_older_batch_is_torn(settings: Settings) -> None:
    drop(settings, "indicators", "a.csv", INDICATORS + GOOD_ROW.replace("17600", "veel"))
    ask(settings)
    lake = Lake(settings.layout.lake)
    (batch,) = lake.live()
    lake.file(batch, "observations", "quarantine").write_bytes(b"PAR1")
    lake.beside("indicators", "refused_observations.parquet").unlink(missing_ok=True)
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    (landed,) = ask(settings, now=LATER)
    assert "what it closes is not known: indicators: batch" in landed.message
    assert landed.outcome is Outcome.LANDED, "it was committed, and its file taken away"


# --- what changed -----------------------------------------------------------------------------------------------


def wrong_file(settings: Settings) -> Path:
    """A file that was refused, and stands refused."""
    path = drop(settings, "indicators", "a.csv", "wrong\n")
    assert outcomes(ask(settings)) == [Outcome.REFUSED]
    (standing,) = ask(settings)
    assert (standing.outcome, standing.message) == (Outcome.STANDS, refusals(settings)[0].reason)
    return path


def test_a_person_who_asks_sees_every_file_tried_again(settings: Settings) -> None:
    wrong_file(settings)
    assert outcomes(ask(settings, is_asked=True)) == [Outcome.REFUSED]


def test_a_file_that_was_put_right_is_tried_again(settings: Settings) -> None:
    path = wrong_file(settings)
    path.write_text(INDICATORS + GOOD_ROW, encoding="utf-8")
    assert outcomes(ask(settings)) == [Outcome.LANDED]
    assert refusals(settings) == []


def test_other_rules_try_a_refused_file_again(settings: Settings) -> None:
    wrong_file(settings)
    with State(settings.layout.state) as state:
        state.refuse(refusals(settings)[0]._replace(rules="of an older version"))
    assert outcomes(ask(settings)) == [Outcome.REFUSED]
    assert outcomes(ask(settings)) == [Outcome.STANDS]


def test_a_refused_file_that_is_too_large_to_read_is_tried_again_when_it_was_written(settings: Settings) -> None:
    path = drop(settings, "indicators", "groot.csv", "")
    os.truncate(path, 201 * 2**20)
    assert outcomes(ask(settings)) == [Outcome.REFUSED]
    assert outcomes(ask(settings)) == [Outcome.STANDS]
    os.truncate(path, 202 * 2**20)
    (again,) = ask(settings)
    assert again.outcome is Outcome.REFUSED
    assert "is 202 MB" in again.message
    assert len(refusals(settings)) == 1


def bytes_read() -> int:
    """How much this process read so far, by the kernel's count."""
    return int(Path("/proc/self/io").read_text("ascii").split()[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system does not count what a process reads")
def test_a_refused_file_that_nobody_touched_is_not_read(settings: Settings) -> None:
    path = drop(settings, "indicators", "a.csv", b"\0" * 8 * 2**20)
    assert outcomes(ask(settings)) == [Outcome.REFUSED]

    def read_by_a_landing() -> int:
        before = bytes_read()
        assert outcomes(ask(settings)) == [Outcome.STANDS]
        return bytes_read() - before

    assert read_by_a_landing() < 2**20
    path.touch()
    assert 8 * 2**20 < read_by_a_landing() < 9 * 2**20, "once, to see that it is the same"
    assert read_by_a_landing() < 2**20


def touched(path: Path) -> None:
    path.touch()


def without_its_mark(path: Path) -> None:
    path.with_name("a.csv.ready").unlink()
    path.touch()


@pytest.mark.parametrize("change", [touched, without_its_mark])
def test_a_refused_file_that_is_not_complete_now_is_not_forgotten(
    settings: Settings, change: Callable[[Path], None]
) -> None:
    path = wrong_file(settings)
    change(path)
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    ask(settings)
    assert len(refusals(settings)) == 1


def test_a_refused_file_that_was_taken_away_is_forgotten(settings: Settings) -> None:
    wrong_file(settings).unlink()
    assert ask(settings) == []
    assert refusals(settings) == []


def test_where_the_drop_folder_is_not_there_nothing_is_forgotten(settings: Settings) -> None:
    wrong_file(settings)
    folder = settings.layout.drop("indicators")
    away = folder.with_name("unmounted")
    folder.rename(away)
    assert ask(settings) == []
    assert len(refusals(settings)) == 1
    away.rename(folder)
    assert outcomes(ask(settings)) == [Outcome.STANDS]


def test_a_file_that_vanishes_while_the_folder_is_read_stops_nothing(settings: Settings) -> None:
    """A supplier's program moves a file in and out as fast as it can; what else is there still lands."""
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    path.with_name("b.csv.ready").unlink()
    busy, stop = path.with_name("a.csv"), Event()

    def move() -> None:
        while not stop.is_set():
            busy.write_bytes(b"wrong")
            busy.unlink(missing_ok=True)

    thread = Thread(target=move)
    thread.start()
    try:
        contract = settings.contracts()["indicators"]
        names = {file.path.name for _ in range(300) for file in waiting_files(settings, contract, FAR)}
    finally:
        stop.set()
        thread.join()
    assert "b.csv" in names


def test_a_landing_whose_notes_cannot_be_written_still_tells_what_landed_and_asks_the_supplier(
    settings: Settings,
) -> None:
    wrong_file(settings).unlink()
    # a trigger stands for a database that is busy with another's writing
    with sqlite3.connect(settings.layout.state) as con:
        con.execute("create trigger busy before delete on refused_drops begin select raise(fail, 'busy'); end")
    con.close()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    landed, pulled = ask(settings.supplied("indicators", url="http://127.0.0.1:9"))
    assert landed.outcome is Outcome.LANDED
    assert "ADEMRUIMTE_INDICATORS_MAPPING" in pulled.message


def test_a_file_that_landed_is_not_called_refused_when_it_could_not_be_taken_away(settings: Settings) -> None:
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    with State(settings.layout.state), sqlite3.connect(settings.layout.state) as con:
        con.execute("create trigger busy before insert on source_progress begin select raise(fail, 'busy'); end")
        (landed,) = ask(settings)
        con.execute("drop trigger busy")
    con.close()
    assert landed.outcome is Outcome.LANDED
    assert landed.message.endswith("; its file stays until the next landing (IntegrityError)")
    assert path.exists()
    assert outcomes(ask(settings)) == [Outcome.KNOWN]
    assert not path.exists()


# --- in Dagster -------------------------------------------------------------------------------------------------


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run(settings: Settings, instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    definitions = landing_definitions(settings.contracts()["indicators"], settings)
    job = definitions.resolve_job_def("land_indicators")
    return job.execute_in_process(instance=instance, raise_on_error=False, tags=tags)


@pytest.mark.parametrize(("tags", "is_told_again"), [(STARTED, False), ({}, True)])
def test_a_run_of_the_clock_does_not_fail_again_for_a_file_that_stands_refused(
    settings: Settings, instance: dg.DagsterInstance, tags: dict[str, str], *, is_told_again: bool
) -> None:
    wrong_file(settings)
    again = run(settings, instance, tags)
    assert again.success is not is_told_again
    checks = {check.check_name: check for check in again.get_asset_check_evaluations()}
    assert not checks["honours_contract"].passed, "until somebody puts it right"
    assert "a.csv" in str(checks["honours_contract"].metadata["refused"].value)


def test_the_sensor_asks_again_for_a_refused_file_once_the_code_on_disk_is_another(
    settings: Settings, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong_file(settings)
    sensor = landing_definitions(settings.contracts()["indicators"], settings).resolve_sensor_def("indicators_drop")

    def asked() -> int:
        with dg.build_sensor_context(instance=instance) as context:
            return len(sensor.evaluate_tick(context).run_requests or [])

    assert asked() == 0
    # an update: this process goes on with what it started with, a run starts with what lies there
    updated = tmp_path / "updated"
    for room in ("contracts", "ingestion"):
        shutil.copytree(ROOT / room, updated / room, ignore=shutil.ignore_patterns("__pycache__"))
    (updated / "contracts" / "faults.py").write_text("# another\n", encoding="utf-8")
    monkeypatch.setattr(dropped, "_ROOT", updated)
    assert asked() == 1
    with State(settings.layout.state) as state:
        state.refuse(refusals(settings)[0]._replace(rules=dropped.rules_on_disk()))
    assert asked() == 0, "what that run refused stands, although this process never reloaded"
