"""A build computes what follows from what changed, and ends where computing everything ends."""

import os
import random
import shutil
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from contracts.registry import all_contracts
from orchestration.loop.build import build
from orchestration.loop.selection import measure
from orchestration.loop.transform import parsed_manifest
from orchestration.settings import Settings
from tests.golden.fingerprints import fingerprints
from tests.orchestration.profiles import LATER, NOW, copy_profile, settings_in
from warehouse import measured
from warehouse.engine import connect

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

SOURCES = sorted(all_contracts())
# SELECTED=50 tries more sequences
SEQUENCES = range(int(os.environ.get("SELECTED", "1")))
STEPS = 4


@pytest.fixture(scope="module")
def manifest(demo: Settings) -> "Manifest":
    return parsed_manifest(demo)


@pytest.fixture(scope="module")
def selected(manifest: "Manifest") -> Callable[..., set[str]]:
    """The names that are measured again when these inputs changed."""

    def names(*changed: str) -> set[str]:
        return {each.rsplit(".", 1)[-1] for each in measure(manifest, changed) if each.startswith("fqn:")}

    return names


def test_a_file_of_one_source_computes_no_table_of_another(
    selected: Callable[..., set[str]], manifest: "Manifest"
) -> None:
    # a test that holds another table against one of this source's does run again
    tables = selected("indicators") & {each.name for each in manifest.nodes.values() if each.resource_type == "model"}
    assert {"kpi_indicators", "fct_indicator_values", "fct_kpi_observations"} <= tables
    assert not [name for name in tables if "charge_point" in name or "ticket" in name or "energy_daily" in name]


def test_what_the_loader_writes_is_told_by_every_build(selected: Callable[..., set[str]]) -> None:
    assert {"dim_build", "dim_source", "fct_batches", "fct_refusals"} <= selected()


def test_what_looks_at_the_date_is_computed_when_it_moves(selected: Callable[..., set[str]]) -> None:
    assert {"kpi_indicators", "fct_kpi_observations"} <= selected(measured.DATE)
    assert not {"kpi_renovation", "fct_tickets"} & selected(measured.DATE)


@pytest.mark.parametrize("source", SOURCES)
def test_whatever_reads_a_source_is_computed_when_it_changed(
    source: str, selected: Callable[..., set[str]], manifest: "Manifest"
) -> None:
    """Followed downwards, from the source, where the code looks upwards."""
    manifest.build_parent_and_child_maps()
    waiting = [key for key, each in manifest.sources.items() if each.source_name == source]
    below: set[str] = set()
    while waiting:
        for child in manifest.child_map.get(waiting.pop(), ()):
            if child in manifest.nodes and child not in below:
                below.add(child)
                waiting.append(child)
    nodes = [manifest.nodes[key] for key in below]
    tables = {node.name for node in nodes if node.config.materialized in {"table", "incremental"}}
    judged = {node.name for node in nodes if "judge" in node.tags}
    assert tables - judged
    assert tables - judged <= selected(source)


def test_new_code_computes_everything(manifest: "Manifest") -> None:
    assert "--full-refresh" in measure(manifest, {measured.CODE})


# --- what is remembered of a computation ------------------------------------------------------------------------


def test_a_computation_that_died_leaves_its_inputs_changed(own_demo: Settings) -> None:
    with connect(own_demo.layout.warehouse) as con:
        now = measured.inputs(con, "code") | {"indicators": "another"}
        measured.note(con, measured.inputs(con, "code"), [])
        assert measured.changed(con, now) == {"indicators"}
        measured.forget(con, {"indicators"})
        assert measured.changed(con, measured.inputs(con, "code")) == {"indicators"}
        measured.note(con, now, [])
        assert measured.changed(con, now) == set()
        assert measured.changed(con, {key: now[key] for key in now if key != "indicators"}) == {"indicators"}


def test_a_test_that_did_not_run_keeps_what_it_found_last(own_demo: Settings) -> None:
    def found(name: str, status: str) -> dict[str, object]:
        return {"unique_id": f"test.{name}", "status": status, "failures": 0, "message": None}

    with connect(own_demo.layout.warehouse) as con:
        measured.forget(con, {measured.CODE})
        measured.note(con, {measured.CODE: "1"}, [found("a", "warn"), found("b", "pass")])
        tests = measured.note(con, {measured.CODE: "1"}, [found("b", "warn")])
        assert [(each["unique_id"], each["status"]) for each in tests] == [("test.a", "warn"), ("test.b", "warn")]
        measured.forget(con, {measured.CODE})
        assert measured.note(con, {measured.CODE: "1"}, []) == []


# --- selected equals full ---------------------------------------------------------------------------------------


@pytest.mark.builds  # several builds of the whole demo
@pytest.mark.parametrize("seed", SEQUENCES)
def test_builds_of_what_changed_end_where_a_build_of_everything_ends(
    seed: int, own_demo: Settings, suppliers: dict[str, str], tmp_path: Path
) -> None:
    chance, now = random.Random(seed), LATER  # noqa: S311 - a repeatable choice, no secret
    for step in range(STEPS):
        arrive(own_demo, chance, tmp_path / "aside")
        now = NOW + timedelta(hours=step + 2, days=chance.choice((0, 0, 1)) * (step + 1))
        build(own_demo, now)
    whole = settings_in(copy_profile(own_demo.layout.root.parent, tmp_path / "whole"), suppliers)
    with connect(whole.layout.warehouse) as con:
        measured.forget(con, [*SOURCES, measured.CODE, measured.DATE])
    build(whole, now)
    assert state_of(own_demo, now) == state_of(whole, now)


# the build before told something meanwhile
TOLD = "marts.fct_alert_log"


def arrive(settings: Settings, chance: random.Random, aside: Path) -> None:
    """A batch of some source goes, as when an older backup is put back, or one that went comes back."""
    gone = sorted(aside.glob("*/batch=*"))
    here = sorted(settings.layout.lake.glob("*/batch=*"))
    moved = chance.choice([*gone, *[path for path in here if path.parent.name in SOURCES]])
    into = settings.layout.lake if moved in gone else aside
    (into / moved.parent.name).mkdir(parents=True, exist_ok=True)
    shutil.move(moved, into / moved.parent.name / moved.name)


def state_of(settings: Settings, now: datetime) -> dict[str, object]:
    """Every table that is computed, and what every test found."""
    with connect(settings.layout.warehouse) as con:
        tests = con.execute("select unique_id, status, failures from landing.test_results order by all").fetchall()
        computed = {name: rows for name, rows in fingerprints(con) if name != TOLD}
        return {"at": now, "tests": tests, **computed, **judged(con, ("kpi_id", "verdict", "reasons"))}


def judged(con: duckdb.DuckDBPyConnection, columns: Collection[str]) -> dict[str, object]:
    return {"quality": con.execute(f"select {', '.join(columns)} from quality.dq_verdict order by all").fetchall()}
