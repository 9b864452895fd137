"""A small source with one table, and arrivals of it, for the tests of this room."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from contracts.gate import Split
from contracts.vocabulary import (
    UTC_INSTANT,
    Column,
    OnArrival,
    Received,
    Sensitivity,
    SourceContract,
    TableContract,
)
from warehouse.batch import Arrival
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.layout import Layout

SOURCE = "meters"
TABLE = "readings"
ROOMS = Path(__file__).parents[2]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_contract(*extra: Column, kwh: type[pl.DataType] = pl.Float64) -> SourceContract:
    table = TableContract(
        name=TABLE,
        description="One reading.",
        received=Received(columns=("meter", "kwh"), required=("meter", "kwh")),
        columns=(
            Column("meter", pl.String, "which meter"),
            Column("kwh", kwh, "energy", nullable=True),
            Column("read_at", UTC_INSTANT, "when"),
            Column("read_date", pl.Date, "city date"),
            *extra,
        ),
        key=("meter", "read_at"),
        version=("kwh",),
        event_date="read_date",
        event_order=("read_at", "meter"),
    )
    return SourceContract(
        name=SOURCE,
        title_nl="Meters",
        owner="test@kortrijk.example",
        version=1,
        triggers=(OnArrival((".csv",)),),
        fresh_within=timedelta(days=1),
        retention=timedelta(days=1),
        sensitivity=Sensitivity.NONE,
        tables=(table,),
    )


def make_rows(
    kwh: Sequence[float | str | None],
    day: date = date(2026, 11, 1),
    dtype: type[pl.DataType] | None = None,
    meter: str = "m",
) -> pl.DataFrame:
    days = [day + timedelta(days=n) for n in range(len(kwh))]
    return pl.DataFrame(
        {
            "meter": [meter] * len(kwh),
            "kwh": pl.Series(kwh, dtype=dtype),
            "read_at": pl.Series([datetime(d.year, d.month, d.day, 11, tzinfo=UTC) for d in days], dtype=UTC_INSTANT),
            "read_date": days,
            "line": pl.Series(range(2, len(kwh) + 2), dtype=pl.Int64),
        }
    )


def make_arrival(accepted: pl.DataFrame, **changes: object) -> Arrival:
    refused = pl.DataFrame({"meter": ["?"], "kwh": ["x"], "line": [99], "reasons": [["kwh: cannot be read"]]})
    text = accepted.select(pl.all().exclude("line").cast(pl.String), "line")
    content = text.write_csv().encode() + str(accepted.schema).encode()
    given: dict[str, Any] = {
        "source": SOURCE,
        "origin": "meters.csv",
        "supplied_at": NOON,
        "complete_until": NOON,
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "contract_version": 1,
        "key_id": None,
        "received": {TABLE: text},
        "original": None,
        "splits": {TABLE: Split(accepted.height + 3, accepted, refused, 1, 1)},
        "dropped_columns": {TABLE: ("owner_name",)},
        "redactions": 2,
        "event_dates": {TABLE: "read_date"},
    }
    return Arrival(**(given | changes))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "kortrijk")
    made.create()
    return made


@pytest.fixture
def lake(layout: Layout) -> Lake:
    return Lake(layout.lake)


@pytest.fixture
def contract() -> SourceContract:
    return make_contract()


@pytest.fixture
def contract_with() -> Callable[..., SourceContract]:
    return make_contract


@pytest.fixture
def rows() -> Callable[..., pl.DataFrame]:
    return make_rows


@pytest.fixture
def arrival() -> Callable[..., Arrival]:
    return make_arrival


@pytest.fixture
def warehouse(layout: Layout) -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect(layout.warehouse)
    yield con
    con.close()


def start_script(name: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name(name), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOMS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Starts a script of this folder as its own process."""
    return start_script


@pytest.fixture
def die() -> Callable[[Path, str], list[int]]:
    """Does one piece of work again and again, killed one touch of the disk later each time."""

    def work_until_alive(root: Path, what: str) -> list[int]:
        out, errors = (script := start_script("dying.py", root, what)).communicate(timeout=60)
        assert script.returncode == 0, errors
        return list(json.loads(out))

    return work_until_alive
