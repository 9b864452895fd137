"""What a batch recognised, and why rows of it were refused: counted by reason, their text nowhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl

from contracts.gate import Split
from contracts.vocabulary import SourceContract
from warehouse.batch import Arrival
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.load import load

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Con = duckdb.DuckDBPyConnection
Rows = Callable[..., pl.DataFrame]
MakeArrival = Callable[..., Arrival]
REFUSALS = "select reason, reason_nl, rows from landing.refusals order by all"


def refused(accepted: pl.DataFrame, *reasons: list[str], dutch: bool = True) -> dict[str, Split]:
    said = {"reasons": list(reasons)} | (
        {"reasons_nl": [[f"nl {one}" for one in row] for row in reasons]} if dutch else {}
    )
    rows = pl.DataFrame({"meter": ["secret"] * len(reasons), "line": list(range(len(reasons))), **said})
    return {"readings": Split(accepted.height + rows.height, accepted, rows, 0, 0)}


def test_refused_rows_are_counted_under_each_of_their_reasons(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    splits = refused(rows([1.0]), ["a: is missing"], ["a: is missing", "b: is odd"], ["b: is odd"], ["c: is high"])
    lake.commit(arrival(rows([1.0]), splits=splits), NOON)
    (loaded,) = load(warehouse, lake, {"meters": contract})
    assert loaded.error is None
    assert warehouse.execute(REFUSALS).fetchall() == [
        ("a: is missing", "nl a: is missing", 2),
        ("b: is odd", "nl b: is odd", 2),
        ("c: is high", "nl c: is high", 1),
    ]
    assert "secret" not in str(warehouse.execute("select * from landing.refusals").fetchall())


def test_a_reason_that_names_a_day_or_lines_is_one_reason_for_all_rows(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    said = [("to_come", f"day: lies after the day of delivery, 2026-11-{day}") for day in (20, 21)]
    said += [("contradicted", f"meter: lines {line} and 9 give different values") for line in (3, 4)]
    refused = pl.DataFrame(
        {
            "meter": ["secret"] * len(said),
            "line": list(range(len(said))),
            "reason_codes": [[code] for code, _ in said],
            "reason_columns": [[reason.partition(":")[0]] for _, reason in said],
            "reasons": [[reason] for _, reason in said],
            "reasons_nl": [[reason] for _, reason in said],
        }
    )
    splits = {"readings": Split(1 + refused.height, rows([1.0]), refused, 0, 0)}
    lake.commit(arrival(rows([1.0]), splits=splits), NOON)
    load(warehouse, lake, {"meters": contract})
    told = warehouse.execute("select reason_code, column_name, reason, rows from landing.refusals order by all")
    assert told.fetchall() == [
        ("contradicted", "meter", "meter: two lines give different values for the same key, so neither counts", 2),
        ("to_come", "day", "day: lies after the day of delivery", 2),
    ]


def test_a_batch_of_before_the_dutch_reasons_is_loaded_with_those_it_has(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0]), splits=refused(rows([1.0]), ["a: is missing"], dutch=False)), NOON)
    load(warehouse, lake, {"meters": contract})
    assert warehouse.execute(REFUSALS).fetchall() == [("a: is missing", "a: is missing", 1)]


def test_a_batch_in_which_all_was_right_has_no_refusals(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0]), splits={"readings": Split(1, rows([1.0]), rows([]), 0, 0)}), NOON)
    load(warehouse, lake, {"meters": contract})
    assert warehouse.execute(REFUSALS).fetchall() == []


def test_a_replay_replaces_the_refusals_of_what_it_supersedes(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    first = lake.commit(arrival(rows([1.0]), splits=refused(rows([1.0]), ["a: is missing"])), NOON)
    load(warehouse, lake, {"meters": contract})
    right = replace(arrival(rows([1.0]), splits=refused(rows([1.0]), ["b: is odd"])), supersedes=first.batch_id)
    lake.commit(right, NOON + timedelta(days=1))
    load(warehouse, lake, {"meters": contract})
    assert warehouse.execute(REFUSALS).fetchall() == [("b: is odd", "nl b: is odd", 1)]


def test_a_manifest_keeps_how_many_rows_were_recognised(
    layout: Layout, lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    manifest = lake.commit(arrival(rows([1.0, 2.0]), recognised={"readings": 1}), NOON)
    assert manifest.tables["readings"].recognised == 1
    assert Lake(layout.lake).manifests() == [manifest]


def test_a_manifest_of_before_that_recognised_nothing(
    layout: Layout, lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    manifest = lake.commit(arrival(rows([1.0])), NOON)
    path = layout.lake / "meters" / f"batch={manifest.batch_id}" / "manifest.json"
    said = path.read_text("utf-8").replace(',\n   "recognised": 0', "")
    assert "recognised" not in said
    path.write_text(said, encoding="utf-8")
    assert Lake(layout.lake).manifests()[0].tables["readings"].recognised == 0


def test_the_newest_batches_are_those_that_stand_and_newest_first(
    layout: Layout, lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    batches = [lake.commit(arrival(rows([float(n)])), NOON + timedelta(hours=n)) for n in range(4)]
    again = lake.commit(replace(arrival(rows([2.0])), supersedes=batches[2].batch_id), NOON + timedelta(days=1))
    (layout.lake / "meters" / f"batch={batches[0].batch_id}" / "manifest.json").write_text("no manifest")
    assert Lake(layout.lake).newest("meters", 3) == [batches[3], again, batches[1]]
    assert Lake(layout.lake).newest("nobody", 3) == []


def test_refused_rows_about_a_kpi_are_counted_by_kpi(
    warehouse: Con, lake: Lake, contract: SourceContract, rows: Rows, arrival: MakeArrival
) -> None:
    ((name, split),) = refused(rows([1.0]), ["a: is missing"], ["b: is odd"], ["c: is high"]).items()
    about = split.quarantined.with_columns(
        pl.Series("kpi_id", [" trees_extra ", None, "SecretStr Person"], dtype=pl.String)
    )
    lake.commit(arrival(rows([1.0]), splits={name: replace(split, quarantined=about)}), NOON)
    load(warehouse, lake, {"meters": contract})
    counted = "select kpi_id, rows from landing.refused_kpis order by all"
    assert warehouse.execute(counted).fetchall() == [("trees_extra", 1), (None, 2)]
