"""Batches loaded at once leave what batches loaded one by one leave, row by row and in the ledger."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest

from contracts.gate import CODES, COLUMNS, REASONS, REASONS_NL, Split
from contracts.vocabulary import SourceContract
from tests.warehouse.conftest import NOON, SOURCE, TABLE, make_arrival, make_contract, make_rows
from warehouse import load as loader
from warehouse.batch import KNOWN_AT, Arrival, Manifest
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.load import Loaded, clear_affected, load, load_known

Con = duckdb.DuckDBPyConnection
TOTALS = "totals"
STORIES = 3


def two_tables() -> SourceContract:
    contract = make_contract()
    (readings,) = contract.tables
    return replace(contract, tables=(readings, replace(readings, name=TOTALS)))


def refused(random: Random) -> pl.DataFrame:
    """Refused rows as one of the versions of the gate kept them; some of them are about a KPI."""
    height = random.randint(1, 3)
    rows = pl.DataFrame({"line": range(90, 90 + height), REASONS: [["kwh: cannot be read", "meter: absent"]] * height})
    if random.random() < 0.7:
        rows = rows.with_columns(pl.lit(["kwh: onleesbaar", "meter: ontbreekt"]).alias(REASONS_NL))
    if random.random() < 0.7:
        codes = pl.lit(["unreadable_number", "absent"]).alias(CODES)
        rows = rows.with_columns(codes, pl.lit(["kwh", "meter"]).alias(COLUMNS))
    if random.random() < 0.5:
        rows = rows.with_columns(kpi_id=pl.lit(random.choice(["trees_planted", "No such KPI", None])))
    return rows


def accepted(random: Random) -> pl.DataFrame:
    """Rows whose columns differ from the contract in one of the ways in which they may."""
    values = [float(random.randint(0, 9)) for _ in range(random.randint(0, 4))]
    rows = make_rows(values, day=date(2026, 11, random.randint(1, 20)), dtype=pl.Float64, meter=random.choice("abc"))
    return random.choice(
        [
            rows,
            rows,
            rows.with_columns(pl.col("kwh").cast(pl.Int64)),
            rows.with_columns(pl.lit("much").alias("kwh")),
            rows.with_columns(owner_name=pl.lit("x"), file_index=7, place=8),
            rows.drop("kwh"),
            rows.select(reversed(rows.columns)),
            rows.with_columns(pl.lit(NOON + timedelta(hours=random.randint(0, 40))).alias(KNOWN_AT)),
        ]
    )


@dataclass
class Story:
    """A lake to which something happens, and two warehouses that load it."""

    lake: Lake
    random: Random
    hour: int = 0

    @property
    def now(self) -> datetime:
        return NOON + timedelta(hours=self.hour)

    def arrival(self, supersedes: str | None = None) -> Arrival:
        tables = [TABLE, TOTALS, "gone_from_the_contract"][: self.random.randint(1, 3)]
        splits = {}
        for name in tables:
            rows, held_back = accepted(self.random), refused(self.random)
            splits[name] = Split(rows.height + held_back.height, rows, held_back, 0, 0)
        return make_arrival(
            make_rows([1.0]),
            origin=f"{self.hour}.csv",
            supplied_at=NOON - timedelta(hours=self.random.randint(0, 9)),
            content_sha256=f"{self.hour:064x}",
            complete_until=self.random.choice([None, self.now]),
            splits=splits,
            received={},
            event_dates={},
            is_full={TABLE: self.random.random() < 0.5},
            is_refused=self.random.random() < 0.1,
            key_id=self.random.choice([None, "k1", "k2"]),
            supersedes=supersedes,
        )

    def happen(self) -> None:
        """One thing that befalls a lake."""
        self.hour += 1
        live = self.lake.live()
        what = self.random.choice([self.land, self.land, self.land, self.replay, self.erase, self.damage, self.lose])
        what(self.random.choice(live)) if live else self.lake.commit(self.arrival(), self.now)

    def land(self, _: Manifest) -> None:
        self.lake.commit(self.arrival(), self.now)

    def replay(self, batch: Manifest) -> None:
        """A correction, or the same under another key."""
        self.lake.commit(self.arrival(batch.batch_id), self.now)

    def erase(self, batch: Manifest) -> None:
        for earlier in self.lake.replaced_by(batch):
            self.lake.erase(earlier)

    def damage(self, batch: Manifest) -> None:
        file = self.lake.file(batch, TABLE, "accepted")
        self.random.choice(
            [
                lambda: file.write_bytes(b"PAR1 torn"),
                lambda: file.unlink(missing_ok=True),
                lambda: make_rows([1.0] * 5).write_parquet(file),
            ]
        )()

    def lose(self, batch: Manifest) -> None:
        """An older backup was put back."""
        shutil.rmtree(self.lake.file(batch, TABLE, "accepted").parents[1])


def landed(con: Con) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that loading fills."""
    tables = con.execute("select table_name from duckdb_tables() where schema_name = 'landing' order by 1").fetchall()
    return {name: con.execute(f"from landing.{name} order by all").fetchall() for (name,) in tables}


def alone(monkeypatch: pytest.MonkeyPatch, work: Callable[[], list[Loaded]]) -> list[Loaded]:
    """Loading with one batch in every transaction."""
    with monkeypatch.context() as patch:
        patch.setattr(loader, "_ROWS_AT_ONCE", -1)
        return work()


@pytest.mark.parametrize("seed", range(STORIES))
def test_batches_loaded_at_once_leave_what_batches_loaded_one_by_one_leave(
    tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    story, contracts = Story(Lake(layout.lake), Random(seed)), {SOURCE: two_tables()}  # noqa: S311 - a story, no secret
    together, apart = connect(tmp_path / "together.duckdb"), connect(tmp_path / "apart.duckdb")
    for chapter in range(3):
        for _ in range(7):
            story.happen()
        by_set = load(together, story.lake, contracts)
        one_by_one = alone(monkeypatch, lambda: load(apart, story.lake, contracts))
        assert by_set == one_by_one
        assert landed(together) == landed(apart)
        if chapter == 1:
            clear_affected(together)
            clear_affected(apart)
    assert landed(together)["loaded_batches"]


@pytest.mark.parametrize("seed", range(STORIES))
def test_what_was_known_at_a_moment_is_the_same_at_once_and_one_by_one(
    tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    story, contracts = Story(Lake(layout.lake), Random(seed)), {SOURCE: two_tables()}  # noqa: S311 - as above
    for _ in range(16):
        story.happen()
    moment = NOON + timedelta(hours=9)
    together, apart = connect(tmp_path / "together.duckdb"), connect(tmp_path / "apart.duckdb")
    by_set = load_known(together, story.lake, contracts, moment)
    one_by_one = alone(monkeypatch, lambda: load_known(apart, story.lake, contracts, moment))
    assert by_set == one_by_one
    assert landed(together) == landed(apart)


def statements_of(con: Con, work: Callable[[], object]) -> int:
    """How many statements the engine itself says it executed."""
    con.execute("call enable_logging('QueryLog')")
    con.execute("call truncate_duckdb_logs()")
    work()
    [(count,)] = con.execute("select count(*) from duckdb_logs where type = 'QueryLog'").fetchall()
    con.execute("call disable_logging()")
    return int(count)


def test_thirty_batches_take_as_many_statements_as_three(
    layout: Layout, warehouse: Con, contract: SourceContract
) -> None:
    lake, counts = Lake(layout.lake), []
    # the tables of the ledger are made once
    load(warehouse, lake, {SOURCE: contract})
    for number in (3, 30):
        for hour in range(number):
            lake.commit(make_arrival(make_rows([float(number), float(hour)])), NOON + timedelta(hours=hour))
        counts.append(statements_of(warehouse, lambda: load(warehouse, lake, {SOURCE: contract})))
    assert counts[0] == counts[1] > 1
    assert warehouse.execute(f"select count(*) from landing.{SOURCE}__{TABLE}").fetchall() == [(66,)]


def test_one_torn_file_among_many_is_found_by_halves(layout: Layout, warehouse: Con, contract: SourceContract) -> None:
    lake = Lake(layout.lake)
    load(warehouse, lake, {SOURCE: contract})
    batches = [lake.commit(make_arrival(make_rows([float(hour)])), NOON + timedelta(hours=hour)) for hour in range(32)]
    lake.file(batches[20], TABLE, "accepted").write_bytes(b"PAR1 torn")
    loaded: list[Loaded] = []
    statements = statements_of(warehouse, lambda: loaded.extend(load(warehouse, lake, {SOURCE: contract})))
    assert [each.batch_id for each in loaded if each.error] == [batches[20].batch_id]
    assert [each.batch_id for each in loaded] == [batch.batch_id for batch in batches]
    # one by one, each batch takes some twelve
    assert statements < 32 * 8
