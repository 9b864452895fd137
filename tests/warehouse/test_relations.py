"""Names as the catalogue gives them: none is lost, and none becomes SQL of its own."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse.engine import connect, frame
from warehouse.layout import Layout
from warehouse.published.contents import warehouse_contents
from warehouse.published.duckdb_file import DuckdbFile
from warehouse.published.parquet import ParquetFiles
from warehouse.published.relations import Relation, quoted, relations

HOSTILE = 'doel"; drop table marts.kept; --'


@pytest.fixture
def named(layout: Layout) -> Layout:
    """A warehouse with names that somebody may well give."""
    with connect(layout.warehouse) as con:
        con.execute("create schema marts; create schema verdicts; create schema landing")
        con.execute("create table marts.kept as select 1 as a")
        con.execute(f"create table marts.{quoted(HOSTILE)} as select 2 as {quoted('select')}")
        con.execute("create view verdicts.seen as select a + 1 as b from marts.kept")
        con.execute("create table landing.raw as select 3 as c")
        con.execute("comment on view verdicts.seen is 'wat men ziet'")
    return layout


def catalogue(layout: Layout, *schemas: str) -> list[Relation]:
    with connect(layout.warehouse, read_only=True) as con:
        return relations(con, schemas)


def test_tables_and_views_stand_by_schema_and_name(named: Layout) -> None:
    found = [(each.schema, each.name) for each in catalogue(named, "verdicts", "marts")]
    assert found == [("marts", HOSTILE), ("marts", "kept"), ("verdicts", "seen")]


def test_a_schema_that_is_not_asked_for_is_not_looked_into(named: Layout) -> None:
    assert [each.name for each in catalogue(named, "landing")] == ["raw"]
    assert catalogue(named) == []
    assert catalogue(named, "nowhere") == []


def test_a_comment_comes_with_what_it_is_about(named: Layout) -> None:
    assert {each.name: each.comment for each in catalogue(named, "marts", "verdicts")} == {
        HOSTILE: None,
        "kept": None,
        "seen": "wat men ziet",
    }


def test_a_temporary_table_of_a_session_is_no_part_of_a_build(named: Layout) -> None:
    with connect(named.warehouse) as con:
        con.execute("create temp table passing as select 1")
        assert {each.name for each in relations(con, ["main", "marts"])} == {HOSTILE, "kept"}


def test_another_database_that_is_attached_is_not_published(named: Layout, tmp_path: Path) -> None:
    connect(tmp_path / "other.duckdb").close()
    with connect(named.warehouse) as con:
        con.execute("attach ? as other", [str(tmp_path / "other.duckdb")])
        con.execute("create schema other.marts; create table other.marts.stranger as select 1")
        assert "stranger" not in {each.name for each in relations(con, ["marts"])}
        con.execute("detach other")


@pytest.mark.parametrize("name", ["plain", "two words", 'a "quoted" one', "l'été", HOSTILE, '"', ";"])
def test_any_name_survives_its_way_through_sql(name: str) -> None:
    with duckdb.connect() as con:
        con.execute(f"create table {quoted(name)} as select 1 as {quoted(name)}")
        assert con.execute("select table_name, column_name from duckdb_columns() where not internal").fetchall() == [
            (name, name)
        ]


def test_a_hostile_name_is_copied_as_a_name_and_drops_nothing(named: Layout, tmp_path: Path) -> None:
    with warehouse_contents(named.warehouse, "b1", ["marts"]) as contents:
        DuckdbFile().write(contents, tmp_path, None)
    with connect(tmp_path / "ademruimte.duckdb", read_only=True) as con:
        assert [each.name for each in relations(con, ["marts"])] == [HOSTILE, "kept"]
        assert con.execute(f"from marts.{quoted(HOSTILE)}").fetchall() == [(2,)]
    assert [each.name for each in catalogue(named, "marts")] == [HOSTILE, "kept"]


def test_parquet_of_a_schema_without_tables_writes_no_file(named: Layout, tmp_path: Path) -> None:
    with warehouse_contents(named.warehouse, "b1", ["nowhere"]) as contents:
        assert ParquetFiles().write(contents, tmp_path / "out", None) == []
    assert not (tmp_path / "out").exists()


def test_parquet_of_a_view_holds_its_rows(named: Layout, tmp_path: Path) -> None:
    with warehouse_contents(named.warehouse, "b1", ["verdicts"]) as contents:
        ParquetFiles().write(contents, tmp_path / "out", None)
    assert pl.read_parquet(tmp_path / "out" / "parquet" / "verdicts" / "seen.parquet").rows() == [(2,)]


def test_a_frame_keeps_types_nulls_and_lists(tmp_path: Path) -> None:
    with connect(tmp_path / "w.duckdb") as con:
        found = frame(
            con,
            "select 1::bigint as n, null::double as x, date '2026-11-22' as day, ['te laat'] as reasons, "
            "timestamptz '2026-11-22 20:00:00+00' as at",
        )
    assert found.schema == {
        "n": pl.Int64,
        "x": pl.Float64,
        "day": pl.Date,
        "reasons": pl.List(pl.String),
        "at": pl.Datetime("us", "UTC"),
    }
    assert found["x"].null_count() == 1
    assert found["reasons"].to_list() == [["te laat"]]
    assert found["at"].item().isoformat() == "2026-11-22T20:00:00+00:00"


def test_a_frame_of_no_rows_keeps_its_columns(tmp_path: Path) -> None:
    with connect(tmp_path / "w.duckdb") as con:
        assert frame(con, "select 1::bigint as n, 'x' as t where false").schema == {"n": pl.Int64, "t": pl.String}
