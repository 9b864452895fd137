"""What the tests of dbt handle: a warehouse, one invocation of dbt, and rows that land without a lake."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from contracts.gate import split
from contracts.registry import all_contracts, city_named
from contracts.vocabulary import UTC_INSTANT
from warehouse.engine import connect
from warehouse.load import landing_name, write_status

PROJECT = Path(__file__).parents[2] / "dbt_project"
AS_OF = date(2026, 11, 23)
JUDGE = "judge"

# in the order of a landing table
_ORIGIN = {
    "batch_id": pl.String,
    "line": pl.Int64,
    "supplied_at": UTC_INSTANT,
    "content_sha256": pl.String,
    "known_at": UTC_INSTANT,
}


@dataclass(frozen=True)
class Dbt:
    """One invocation of dbt in this process."""

    statuses: Mapping[str, str]
    warnings: Sequence[str]
    target: Path

    def failed(self) -> list[str]:
        return [node for node, status in self.statuses.items() if status in {"error", "fail", "runtime error"}]

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.target / "manifest.json").read_text("utf-8"))


@dataclass(frozen=True)
class Built:
    """A warehouse after measure and judge."""

    warehouse: Path
    measured: Dbt
    judged: Dbt

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with connect(self.warehouse, read_only=True) as con:
            return con.execute(query, list(values)).fetchall()


def insert(con: duckdb.DuckDBPyConnection, source: str, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Lands typed rows, each with where it came from."""
    contract = next(found for found in all_contracts()[source].tables if found.name == table)
    schema = {**contract.schema, **_ORIGIN}
    frame = pl.DataFrame(list(rows), schema=schema, orient="row").select(*contract.schema, *_ORIGIN)
    con.register("landed", frame.to_arrow())
    con.sql("select * from landed").select(*frame.columns).insert_into(landing_name(source, table))
    con.unregister("landed")


def land_charge_points(
    con: duckdb.DuckDBPyConnection, locations: list[object], supplied_at: datetime, city: str, *, is_full: bool = True
) -> None:
    """Lands a location dump as the source module and the gate would."""
    from ingestion.charge_point_rows import flatten  # noqa: PLC0415 - another room, only for real files

    batch = f"{supplied_at:%Y%m%d%H}"
    origin = {"batch_id": batch, "supplied_at": supplied_at, "content_sha256": batch, "known_at": supplied_at}
    tables = flatten(locations)
    crawl = {
        "started_at": supplied_at,
        "ended_at": supplied_at,
        "is_full": is_full,
        "location_count": tables["locations"].height,
        "evse_count": tables["evses"].height,
        "crawl_date": supplied_at.date(),
    }
    contract = all_contracts()["charge_points"]
    for name, flat in tables.items():
        accepted = split(flat, contract.table(name), city_named(city)).accepted
        insert(con, "charge_points", name, [{**row, **origin} for row in accepted.to_dicts()])
    insert(con, "charge_points", "crawls", [{**crawl, "line": 1, **origin}])
    write_status(con, [("charge_points", supplied_at, supplied_at)])


def judge_the_data(warehouse: Path, unverified: Sequence[str] = ()) -> None:
    """What the quality step does between measure and judge, decided by the test."""
    with connect(warehouse) as con:
        kpis = [row[0] for row in con.execute("select distinct kpi_id from marts.fct_kpi_observations").fetchall()]
        for kpi_id in kpis:
            verdict = "unverified" if kpi_id in unverified else "verified"
            con.execute("insert into quality.dq_verdict values (?, ?, [], 'build-1')", [kpi_id, verdict])


def make_again(con: duckdb.DuckDBPyConnection, dbt: Dbt, first: str, last: str) -> None:
    """Makes again what dbt stores from `first` on and `last` is made of; views follow by themselves."""
    models = _models(dbt)
    needed, changed = {f"model.ademruimte.{last}"}, {f"model.ademruimte.{first}"}
    for key in reversed(models):
        needed |= _parents(models, key) if key in needed else set()
    for key in models:
        changed |= {key} if _parents(models, key) & changed else set()
    _store(con, dbt, [node for key, node in models.items() if key in changed & needed])


def measure_again(warehouse: Path, built: Built, land: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    """A copy of what was built, in which only what `land` lands was measured, by the SQL as dbt compiled it.

    It spares what dbt does around every model: that dbt makes tables of this SQL, which honour their contracts, is
    shown by the build that it is a copy of.
    """
    shutil.copyfile(built.warehouse, warehouse)
    with connect(warehouse) as con:
        for source, contract in all_contracts().items():
            for table in contract.tables:
                con.execute(f"delete from {landing_name(source, table.name)}")
        con.execute("delete from landing.source_status")
        con.execute("delete from quality.dq_verdict")
        land(con)
        _store(con, built.measured, (node for node in _models(built.measured).values() if JUDGE not in node["tags"]))


def judge_again(warehouse: Path, built: Built) -> Built:
    """Every KPI verified, and then the verdicts, as `measure_again`."""
    judge_the_data(warehouse)
    with connect(warehouse) as con:
        _store(con, built.judged, (node for node in _models(built.judged).values() if JUDGE in node["tags"]))
    return Built(warehouse, built.measured, built.judged)


def _models(dbt: Dbt) -> dict[str, dict[str, Any]]:
    """Every model, after those it is made of."""
    models = {key: node for key, node in dbt.manifest()["nodes"].items() if node["resource_type"] == "model"}
    order = TopologicalSorter({key: _parents(models, key) for key in models}).static_order()
    return {key: models[key] for key in order}


def _parents(models: Mapping[str, dict[str, Any]], key: str) -> set[str]:
    return set(models[key]["depends_on"]["nodes"]) & models.keys()


def _store(con: duckdb.DuckDBPyConnection, dbt: Dbt, models: Iterable[Mapping[str, Any]]) -> None:
    for node in models:
        if node["config"]["materialized"] != "view":
            sql = dbt.target / "compiled" / "ademruimte" / node["original_file_path"]
            con.execute(f"create or replace table {node['schema']}.{node['name']} as {sql.read_text('utf-8')}")
