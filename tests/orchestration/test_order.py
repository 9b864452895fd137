"""In whatever order deliveries land, the marts say the same.

`SHUFFLES` says how many orders are tried; `make shuffle` tries 200.
"""

import json
import os
import shutil
from datetime import datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest

from contracts.registry import all_contracts
from orchestration.loop.passage import arrival_of
from orchestration.loop.replay import pass_again
from orchestration.settings import Settings
from tests.golden.fingerprints import fingerprints, main
from tests.orchestration.profiles import NOW
from warehouse.batch import Arrival, Manifest
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.load import load, write_build, write_profile, write_status

SHUFFLES = int(os.environ.get("SHUFFLES", "3"))


class Compiled:
    """The compiled models of the demo's build, in dependency order, runnable without dbt."""

    def __init__(self, demo: Settings) -> None:
        target = demo.layout.dbt / "target"
        manifest = json.loads((target / "manifest.json").read_text("utf-8"))
        models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
        order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in models.items()}).static_order()
        folder = target / "compiled" / "ademruimte"
        self.models = [
            (node["schema"], node["name"], (folder / node["original_file_path"]).read_text("utf-8"))
            for node in (models[key] for key in order if key in models)
        ]
        self.warehouse = demo.layout.warehouse

    def run(self, con: duckdb.DuckDBPyConnection) -> None:
        self._copy(con, "seeds")
        self._copy(con, "quality")
        for schema, name, sql in self.models:
            con.execute(f"create schema if not exists {schema}")
            kind = "view" if schema == "staging" else "table"
            con.execute(f"create {kind} {schema}.{name} as {sql}")

    def _copy(self, con: duckdb.DuckDBPyConnection, schema: str) -> None:
        con.execute(f"attach '{self.warehouse}' as demo (read_only)")
        con.execute(f"create schema if not exists {schema}")
        tables = con.execute(
            f"select table_name from duckdb_tables() where database_name = 'demo' and schema_name = '{schema}'"
        )
        for (name,) in tables.fetchall():
            con.execute(f"create or replace table {schema}.{name} as select * from demo.{schema}.{name}")
        con.execute("detach demo")


@pytest.fixture(scope="module")
def compiled(demo: Settings) -> Compiled:
    return Compiled(demo)


@pytest.fixture(scope="module")
def arrivals(demo: Settings) -> list[Arrival]:
    """Every delivery of the demo as it was before it was committed, with its supplier's own time."""
    lake = Lake(demo.layout.lake)
    return [arrival(demo, lake, manifest) for manifest in lake.manifests()]


def arrival(demo: Settings, lake: Lake, manifest: Manifest) -> Arrival:
    passed = pass_again(demo, lake, manifest, demo.contracts()[manifest.source])
    return arrival_of(passed, manifest.content_sha256)


def landed_in(order: list[Arrival], folder: Path, compiled: Compiled, demo: Settings) -> dict[str, object]:
    """A fingerprint of every mart after landing in this order and building from it."""
    lake = Lake(folder / "lake")
    for number, arrival in enumerate(order):
        lake.commit(arrival, NOW + timedelta(minutes=number))
    with connect(folder / "warehouse.duckdb") as con:
        load(con, lake, all_contracts())
        write_profile(con, demo.city)
        write_status(con, [])
        write_build(con, "any", demo.as_of(NOW), demo.city.name, is_synthetic=True)
        compiled.run(con)
        return dict(fingerprints(con))


@pytest.mark.builds  # many landings of the whole demo, each with all models
def test_shuffled_landing_orders_give_identical_marts(
    arrivals: list[Arrival], compiled: Compiled, demo: Settings, tmp_path: Path
) -> None:
    expected = landed_in(arrivals, tmp_path / "as_landed", compiled, demo)
    assert len(expected) > 15
    for seed in range(SHUFFLES):
        shuffled = Random(seed).sample(arrivals, len(arrivals))  # noqa: S311 - an order, not a secret
        found = landed_in(shuffled, tmp_path / str(seed), compiled, demo)
        different = [table for table in expected if found[table] != expected[table]]
        assert not different, f"shuffle {seed} changes {different}"
        # two hundred warehouses are more than a small disk holds
        shutil.rmtree(tmp_path / str(seed))


def test_the_fingerprint_sees_a_single_changed_value(tmp_path: Path) -> None:
    with connect(tmp_path / "warehouse.duckdb") as con:
        con.execute("create schema marts")
        con.execute("create table marts.t as select range as i, random() as known_at from range(100)")
        before = dict(fingerprints(con))
        con.execute("update marts.t set known_at = 0")
        assert dict(fingerprints(con)) == before
        con.execute("update marts.t set i = -1 where i = 50")
        assert dict(fingerprints(con)) != before


def test_two_profiles_are_held_beside_each_other_table_by_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profiles = [tmp_path / name for name in ("before", "after")]
    for number, profile in enumerate(profiles):
        profile.mkdir()
        with connect(profile / "warehouse.duckdb") as con:
            con.execute("create schema marts")
            con.execute("create table marts.same as select range as i, random() as known_at from range(100)")
            con.execute(f"create table marts.other as select {number} as i")
    assert main([profiles[0], profiles[0]]) == 0
    capsys.readouterr()
    assert main(profiles) == 1
    differing, counted = capsys.readouterr().out.splitlines()
    assert differing.startswith("marts.other ")
    assert counted == "2 tables, 1 differ"


def test_a_correction_wins_whichever_came_first(
    arrivals: list[Arrival], compiled: Compiled, demo: Settings, tmp_path: Path
) -> None:
    trees = [arrival for arrival in arrivals if arrival.source == "indicators"]
    values = []
    for number, order in enumerate((trees, trees[::-1])):
        folder = tmp_path / str(number)
        landed_in(order, folder, compiled, demo)
        with connect(folder / "warehouse.duckdb") as con:
            values.append(con.sql("select * exclude (known_at) from kpi.kpi_indicators order by all").to_arrow_table())
    assert pl.DataFrame(values[0]).equals(pl.DataFrame(values[1]))


def test_supplier_times_are_kept_by_a_shuffle(arrivals: list[Arrival]) -> None:
    assert all(isinstance(arrival.supplied_at, datetime) and arrival.supplied_at < NOW for arrival in arrivals)
