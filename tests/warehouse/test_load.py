# the only name put into a query is ROWS; fixtures are arguments
# ruff: noqa: PLR0913, PLR0917
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import duckdb
import polars as pl
import pytest

from contracts.registry import all_contracts, city_named
from contracts.vocabulary import Column, SourceContract
from warehouse.batch import Arrival
from warehouse.durable import DiskFullError
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.load import (
    Loaded,
    LoadError,
    clear_affected,
    ensure_landing,
    load,
    write_build,
    write_profile,
    write_status,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Con = duckdb.DuckDBPyConnection
Rows = Callable[..., pl.DataFrame]
MakeArrival = Callable[..., Arrival]
ROWS = "landing.meters__readings"


def test_every_contract_of_the_house_has_an_empty_typed_table_before_the_first_batch(
    warehouse: Con, lake: Lake
) -> None:
    assert load(warehouse, lake, all_contracts()) == []
    for contract in all_contracts().values():
        for table in contract.tables:
            landed = warehouse.table(f"landing.{contract.name}__{table.name}")
            assert landed.columns[: len(table.columns)] == list(table.schema)
            assert landed.columns[len(table.columns) :] == [
                "batch_id",
                "line",
                "supplied_at",
                "content_sha256",
                "known_at",
            ]
            assert len(landed) == 0
    assert warehouse.table("landing.indicators__observations").dtypes[2:4] == ["DATE", "DOUBLE"]
    assert len(warehouse.table("quality.dq_verdict")) == len(warehouse.table("landing.build")) == 0


def test_whole_and_broken_numbers_in_two_batches_sum_to_the_truth(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1], dtype=pl.Int64)), NOON)
    lake.commit(arrival(rows([2.5])), NOON)
    first, second = _sorted(load(warehouse, lake, {"meters": contract}))
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 3.5
    assert {first.drift, second.drift} == {(), ("readings.kwh: written as BIGINT, read as DOUBLE",)}


def test_an_extra_column_is_ignored_and_reported_and_a_missing_one_is_null(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0]).with_columns(owner_name=pl.lit("x")).drop("kwh")), NOON)
    (loaded,) = load(warehouse, lake, {"meters": contract})
    assert loaded.drift == ("readings.kwh: missing, null", "readings.owner_name: not in the contract, ignored")
    assert loaded.rows == {"readings": 1}
    assert _one(warehouse, f"select kwh from {ROWS}") is None


def test_a_cast_that_fails_stops_its_batch_and_no_other(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows(["much"]), origin="bad.csv"), NOON)
    lake.commit(arrival(rows([2.5])), NOON)
    good, bad = sorted(load(warehouse, lake, {"meters": contract}), key=lambda one: one.error is not None)
    assert good.error is None
    assert "meters: batch" in str(bad.error)
    assert "(bad.csv) does not fit the contract, nothing of it was loaded" in str(bad.error)
    assert "much" in str(bad.error)
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 2.5
    assert _one(warehouse, "select count(*) from landing.loaded_batches") == 1
    assert _one(warehouse, "select count(*) from landing.batch_counts") == 1


def test_a_fraction_is_never_rounded_into_a_whole_number(
    warehouse: Con,
    lake: Lake,
    contract_with: Callable[..., SourceContract],
    rows: Rows,
    arrival: MakeArrival,
) -> None:
    lake.commit(arrival(rows([2.0, None])), NOON)
    lake.commit(arrival(rows([2.5])), NOON)
    whole, broken = sorted(
        load(warehouse, lake, {"meters": contract_with(kwh=pl.Int64)}), key=lambda one: one.error is not None
    )
    assert whole.rows == {"readings": 2}
    assert "column kwh holds a fraction" in str(broken.error)
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 2


def test_an_unreadable_or_missing_file_stops_its_batch_and_no_other(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    torn, gone, good = (lake.commit(arrival(rows([value])), NOON) for value in (1.0, 2.0, 4.0))
    lake.file(torn, "readings", "accepted").write_bytes(b"PAR1 torn")
    lake.file(gone, "readings", "accepted").unlink()
    loaded = {one.batch_id: one for one in load(warehouse, lake, {"meters": contract})}
    assert loaded[good.batch_id].error is None
    assert loaded[torn.batch_id].error is not None
    assert loaded[gone.batch_id].error is not None
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 4.0


def test_a_batch_whose_rows_are_gone_stops_itself_and_no_other(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    erased, good = (lake.commit(arrival(rows([value])), NOON) for value in (1.0, 2.0))
    shutil.rmtree(lake.file(erased, "readings", "accepted").parent)
    loaded = {one.batch_id: one for one in load(warehouse, lake, {"meters": contract})}
    assert "No files found" in str(loaded[erased.batch_id].error)
    assert loaded[good.batch_id].error is None
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 2.0


def test_a_file_with_fewer_rows_than_its_manifest_says_is_not_loaded(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    manifest = lake.commit(arrival(rows([1.0, 2.0])), NOON)
    rows([1.0]).write_parquet(lake.file(manifest, "readings", "accepted"))
    (loaded,) = load(warehouse, lake, {"meters": contract})
    assert "holds 1 rows, its manifest says 2" in str(loaded.error)
    assert _one(warehouse, f"select count(*) from {ROWS}") == 0


def test_a_half_written_staging_folder_is_not_read(
    warehouse: Con, layout: Layout, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    manifest = lake.commit(arrival(rows([1.0])), NOON)
    shutil.copytree(layout.lake / "meters" / f"batch={manifest.batch_id}", layout.staging / "half")
    assert len(load(warehouse, lake, {"meters": contract})) == 1
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 1.0


def test_a_batch_is_loaded_once(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0])), NOON)
    assert len(load(warehouse, lake, {"meters": contract})) == 1
    assert load(warehouse, lake, {"meters": contract}) == []
    assert _one(warehouse, f"select count(*) from {ROWS}") == 1


def test_rows_lie_in_the_order_of_their_events_and_know_where_they_come_from(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    manifest = lake.commit(arrival(rows([1.0, 2.0, 3.0]).reverse()), NOON)
    load(warehouse, lake, {"meters": contract})
    landed = warehouse.table(ROWS).pl()
    assert landed["kwh"].to_list() == [1.0, 2.0, 3.0]
    assert landed["line"].to_list() == [2, 3, 4]
    assert landed.select("batch_id", "content_sha256", "supplied_at", "known_at").unique().rows() == [
        (manifest.batch_id, manifest.content_sha256, NOON, NOON)
    ]


def test_the_ledger_counts_every_row_of_a_batch(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0, 2.0])), NOON)
    load(warehouse, lake, {"meters": contract})
    assert warehouse.execute("select * exclude batch_id from landing.batch_counts").fetchall() == [
        ("meters", "readings", 5, 2, 1, 1, 1, None)
    ]


def test_the_ledger_of_an_older_warehouse_learns_whether_a_table_was_whole(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    ensure_landing(warehouse, {"meters": contract})
    warehouse.execute("alter table landing.batch_counts drop column is_full")
    lake.commit(replace(arrival(rows([1.0])), is_full={"readings": True}), NOON)
    load(warehouse, lake, {"meters": contract})
    assert warehouse.execute("select is_full from landing.batch_counts").fetchall() == [(True,)]


def test_touched_dates_are_noted_once_until_a_build_is_committed(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0, 2.0])), NOON)
    lake.commit(arrival(rows([3.0], day=date(2026, 11, 2))), NOON)
    load(warehouse, lake, {"meters": contract})
    assert sorted(warehouse.execute("from landing.affected").fetchall()) == [
        ("meters", "readings", date(2026, 11, 1)),
        ("meters", "readings", date(2026, 11, 2)),
    ]
    clear_affected(warehouse)
    assert _one(warehouse, "select count(*) from landing.affected") == 0


def test_a_replay_takes_the_place_of_its_batch_and_touches_the_dates_of_both(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    first = lake.commit(arrival(rows([1.0])), NOON)
    load(warehouse, lake, {"meters": contract})
    clear_affected(warehouse)
    moved = arrival(rows([2.0], day=date(2026, 11, 9)), supersedes=first.batch_id)
    replayed = lake.commit(moved, NOON + timedelta(days=1))
    load(warehouse, lake, {"meters": contract})
    assert warehouse.execute(f"select kwh, known_at from {ROWS}").fetchall() == [(2.0, NOON)]
    assert warehouse.execute("select batch_id from landing.loaded_batches").fetchall() == [(replayed.batch_id,)]
    assert _one(warehouse, "select count(*) from landing.batch_counts") == 1
    touched = warehouse.execute("select event_date from landing.affected order by 1").fetchall()
    assert touched == [(date(2026, 11, 1),), (date(2026, 11, 9),)]


def test_a_replay_of_a_replay_removes_the_first_batch_too(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    first = lake.commit(arrival(rows([1.0])), NOON)
    load(warehouse, lake, {"meters": contract})
    second = lake.commit(arrival(rows([2.0]), supersedes=first.batch_id), NOON)
    lake.commit(arrival(rows([4.0]), supersedes=second.batch_id), NOON)
    load(warehouse, lake, {"meters": contract})
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 4.0


def test_a_replay_that_cannot_be_loaded_leaves_the_old_rows(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    first = lake.commit(arrival(rows([1.0])), NOON)
    load(warehouse, lake, {"meters": contract})
    lake.commit(arrival(rows(["much"]), supersedes=first.batch_id), NOON)
    (loaded,) = load(warehouse, lake, {"meters": contract})
    assert loaded.error is not None
    assert _one(warehouse, f"select sum(kwh) from {ROWS}") == 1.0


def test_the_order_in_which_batches_land_changes_nothing_but_the_order_of_rows(
    tmp_path: Path, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    deliveries = [arrival(rows([float(n)], day=date(2026, 11, n))) for n in (1, 2, 3)]
    contents = set()
    for number, order in enumerate(permutations(deliveries)):
        contents.add(_landed_contents(tmp_path / f"{number}", order, contract))
    assert len(contents) == 1


def test_a_rebuild_is_the_same_as_what_was_loaded_bit_by_bit(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    first = lake.commit(arrival(rows([1.0])), NOON)
    load(warehouse, lake, {"meters": contract})
    lake.commit(arrival(rows([2.0, 3.0])), NOON + timedelta(hours=1))
    load(warehouse, lake, {"meters": contract})
    lake.commit(arrival(rows([5.0]), supersedes=first.batch_id), NOON + timedelta(hours=2))
    load(warehouse, lake, {"meters": contract})
    before = _contents(warehouse)
    warehouse.execute("drop schema landing cascade")
    assert len(load(warehouse, lake, {"meters": contract})) == 2
    assert _contents(warehouse) == before


def test_a_build_loads_only_the_batches_it_names(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    first = lake.commit(arrival(rows([1.0])), NOON)
    later = lake.commit(arrival(rows([2.0])), NOON + timedelta(hours=1))
    (loaded,) = load(warehouse, lake, {"meters": contract}, [first.batch_id])
    assert loaded.batch_id == first.batch_id
    (rest,) = load(warehouse, lake, {"meters": contract})
    assert rest.batch_id == later.batch_id


def test_a_column_that_a_contract_gains_is_added_and_filled_from_then_on(
    warehouse: Con,
    lake: Lake,
    contract: SourceContract,
    contract_with: Callable[..., SourceContract],
    rows: Rows,
    arrival: MakeArrival,
) -> None:
    lake.commit(arrival(rows([1.0])), NOON)
    load(warehouse, lake, {"meters": contract})
    lake.commit(arrival(rows([2.0]).with_columns(unit=pl.lit("kWh"))), NOON)
    wider = contract_with(Column("unit", pl.String, "unit"))
    (loaded,) = load(warehouse, lake, {"meters": wider})
    assert loaded.drift == ()
    assert warehouse.execute(f"select kwh, unit from {ROWS} order by kwh").fetchall() == [(1.0, None), (2.0, "kWh")]


def test_a_column_whose_type_changed_asks_for_a_rebuild(
    warehouse: Con, contract: SourceContract, contract_with: Callable[..., SourceContract]
) -> None:
    ensure_landing(warehouse, {"meters": contract})
    with pytest.raises(LoadError, match=r"kwh is DOUBLE, the contract says VARCHAR; run `ademruimte rebuild`"):
        ensure_landing(warehouse, {"meters": contract_with(kwh=pl.String)})


def test_a_source_that_the_city_does_not_have_is_named_and_stops_nothing(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0]), source="parking"), NOON)
    lake.commit(arrival(rows([1.0])), NOON)
    by_source = {one.source: one for one in load(warehouse, lake, {"meters": contract})}
    assert by_source["parking"].error == "parking: this city has no such source"
    assert by_source["meters"].error is None


def test_loading_is_refused_when_it_might_not_fit(
    warehouse: Con,
    lake: Lake,
    contract: SourceContract,
    rows: Rows,
    arrival: MakeArrival,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake.commit(arrival(rows([1.0])), NOON)
    nearly_full = shutil.disk_usage("/")._replace(free=2**20)
    monkeypatch.setattr("shutil.disk_usage", lambda _: nearly_full)
    with pytest.raises(DiskFullError, match="meters: loading batch"):
        load(warehouse, lake, {"meters": contract})
    assert _one(warehouse, "select count(*) from landing.loaded_batches") == 0


@pytest.mark.chaos
@pytest.mark.parametrize(("what", "how"), [("load", signal.SIGKILL), ("load_in_time", signal.SIGALRM)])
def test_a_load_killed_anywhere_leaves_nothing_half(
    layout: Layout,
    lake: Lake,
    contract: SourceContract,
    rows: Rows,
    arrival: MakeArrival,
    die: Callable[[Path, str], list[int]],
    what: str,
    how: signal.Signals,
) -> None:
    for hour in range(2):
        lake.commit(arrival(rows([1.0 + hour] * 10)), NOON + timedelta(hours=hour))
    deaths = die(layout.root, what)
    assert (deaths[-1], set(deaths[:-1])) == (0, {-how})
    found = []
    for point in range(1, len(deaths) + 1):
        con = connect(layout.root / f"warehouse-{point}.duckdb")
        ensure_landing(con, {"meters": contract})
        found.append(_require_whole_batches(con))
        load(con, lake, {"meters": contract})
        assert (_require_whole_batches(con), _one(con, f"select sum(kwh) from {ROWS}")) == (2, 30.0)
        con.close()
    assert set(found) <= {0, 1, 2}
    assert (min(found), found[-1]) == (0, 2)


def test_the_calendar_of_a_city_knows_its_closing_days(warehouse: Con) -> None:
    city = city_named("kortrijk")
    ensure_landing(warehouse, {})
    for _ in range(2):
        write_profile(warehouse, city)
    count, first, last = warehouse.execute("select count(*), min(date), max(date) from landing.city_days").fetchall()[0]
    assert (count, first, last) == (15340, date(2010, 1, 1), date(2051, 12, 31))
    closed = warehouse.execute("select closing_reason, is_working_day from landing.city_days where date = '2026-11-02'")
    assert closed.fetchall() == [("Allerzielen", False)]


def test_a_source_speaks_up_to_the_later_of_its_batches_and_the_state(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    later = NOON + timedelta(hours=3)
    lake.commit(arrival(rows([1.0])), NOON)
    load(warehouse, lake, {"meters": contract})
    status = "select * from landing.source_status order by source"
    write_status(warehouse, [])
    assert warehouse.execute(status).fetchall() == [("meters", NOON, None)]
    write_status(warehouse, [("meters", NOON - timedelta(days=9), later), ("tickets", None, later)])
    assert warehouse.execute(status).fetchall() == [("meters", NOON, later), ("tickets", None, later)]
    write_status(warehouse, [("meters", later, later)])
    assert warehouse.execute(status).fetchall() == [("meters", later, later)]


def test_one_row_says_which_build_this_is(warehouse: Con) -> None:
    ensure_landing(warehouse, {})
    write_build(warehouse, "b1", date(2026, 11, 22), "kortrijk", is_synthetic=False)
    write_build(warehouse, "b2", date(2026, 11, 23), "kortrijk", is_synthetic=True)
    assert warehouse.execute("from landing.build").fetchall() == [("b2", date(2026, 11, 23), "kortrijk", True)]


def _one(con: Con, query: str) -> object:
    (row,) = con.execute(query).fetchall()
    return row[0]


def _sorted(loaded: list[Loaded]) -> list[Loaded]:
    return sorted(loaded, key=lambda one: one.batch_id)


def _contents(con: Con) -> str:
    return str(con.execute(f"from {ROWS} order by all").fetchall()) + str(
        con.execute("from landing.loaded_batches order by all").fetchall()
    )


def _landed_contents(root: Path, order: tuple[Arrival, ...], contract: SourceContract) -> str:
    layout = Layout(root)
    layout.create()
    lake = Lake(layout.lake)
    con = connect(layout.warehouse)
    for hour, delivery in enumerate(order):
        lake.commit(replace(delivery, supplied_at=NOON), NOON + timedelta(hours=hour))
        load(con, lake, {"meters": contract})
    # when and as which batch a row arrived is all that may differ
    said = con.execute(f"select * exclude (batch_id, known_at) from {ROWS} order by all").fetchall()
    touched = con.execute("from landing.affected order by all").fetchall()
    con.close()
    return f"{said} {touched}"


def _require_whole_batches(con: Con) -> int:
    """Every batch in the ledger has all its rows, counts and dates, and no row is of another batch."""
    per_batch = con.execute(f"select batch_id, count(*) from {ROWS} group by batch_id").fetchall()
    ledger = con.execute("select batch_id from landing.loaded_batches").fetchall()
    counts = con.execute("select batch_id, accepted from landing.batch_counts").fetchall()
    assert sorted(per_batch) == sorted(counts) == sorted((batch, 10) for (batch,) in ledger)
    assert _one(con, "select count(*) from landing.affected") == (10 if ledger else 0)
    return len(ledger)
