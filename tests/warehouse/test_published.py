import json
import shutil
import stat
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse.durable import DiskFullError
from warehouse.engine import connect
from warehouse.layout import Layout
from warehouse.published.contents import warehouse_contents
from warehouse.published.duckdb_file import DuckdbFile
from warehouse.published.files import FileStore
from warehouse.published.parquet import ParquetFiles, read_table
from warehouse.published.pointer import (
    DATABASE,
    builds,
    current,
    discard,
    flip,
    prune,
    stage,
)
from warehouse.published.store import UnknownBuildError

SCHEMAS = ("marts", "verdicts", "quality")


def stage_build(layout: Layout, build_id: str) -> Path:
    store = FileStore(layout.published, (DuckdbFile(), ParquetFiles()))
    with warehouse_contents(layout.warehouse, build_id, SCHEMAS) as contents:
        store.stage(contents)
    return store.folder(build_id)


def write_duckdb(layout: Layout, folder: Path) -> Path:
    with warehouse_contents(layout.warehouse, "b1", SCHEMAS) as contents:
        DuckdbFile().write(contents, folder, None)
    return folder / DATABASE


def opened_by_a_reader(path: Path) -> duckdb.DuckDBPyConnection:
    # DuckDB shares an instance per path: through the pointer a second open would show the build before it
    return duckdb.connect(path.resolve(), read_only=True)


@pytest.fixture
def built(layout: Layout) -> Layout:
    con = connect(layout.warehouse)
    for statement in (
        *(f"create schema {schema}" for schema in (*SCHEMAS, "landing")),
        "create table landing.secret as select 1 as a",
        "create table marts.fct_a as select n, 0 as build_no from range(1000) as r (n)",
        "create table marts.fct_b as select n, 0 as build_no from range(1000) as r (n)",
        "create table quality.dq_verdict (kpi_id varchar, reasons varchar[])",
        "insert into quality.dq_verdict values ('k', ['too few', 'te laat'])",
        'create view verdicts."Doelen van \'s" as select max(n) as "hoogste n" from marts.fct_a',
        "comment on table marts.fct_a is 'één rij per ''meting'''",
        "comment on column marts.fct_a.n is 'volgnummer'",
        "comment on view verdicts.\"Doelen van 's\" is 'doelen'",
        'comment on column verdicts."Doelen van \'s"."hoogste n" is \'de hoogste\'',
    ):
        con.execute(statement)
    con.close()
    return layout


def test_a_snapshot_holds_the_published_schemas_and_nothing_else(built: Layout, tmp_path: Path) -> None:
    con = opened_by_a_reader(write_duckdb(built, tmp_path))
    assert con.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall() == [
        ("marts", "fct_a"),
        ("marts", "fct_b"),
        ("quality", "dq_verdict"),
        ("verdicts", "Doelen van 's"),
    ]
    assert con.execute("from quality.dq_verdict").fetchall() == [("k", ["too few", "te laat"])]
    assert con.execute('from verdicts."Doelen van \'s"').fetchall() == [(999,)]
    con.close()


def test_a_snapshot_keeps_the_comments_of_tables_views_and_columns(built: Layout, tmp_path: Path) -> None:
    con = opened_by_a_reader(write_duckdb(built, tmp_path))
    tables = con.execute("select comment from duckdb_tables() where comment is not null order by table_name")
    assert tables.fetchall() == [("doelen",), ("één rij per 'meting'",)]
    columns = con.execute("select column_name, comment from duckdb_columns() where comment is not null order by all")
    assert columns.fetchall() == [("hoogste n", "de hoogste"), ("n", "volgnummer")]
    con.close()


def test_a_snapshot_is_written_in_the_format_that_older_readers_know(built: Layout) -> None:
    # bytes 12 to 20 of a DuckDB file are its storage version: 64 is that of v1.0.0, a file of 2.0 says otherwise
    first, second = (stage_build(built, build) / DATABASE for build in ("b1", "b2"))
    assert [int.from_bytes(file.read_bytes()[12:20], "little") for file in (first, second)] == [64, 64]
    assert int.from_bytes(built.warehouse.read_bytes()[12:20], "little") != 64
    assert not first.with_suffix(".duckdb.wal").exists()


def test_a_published_file_bears_no_permission_to_write_and_its_build_can_still_be_removed(built: Layout) -> None:
    for number in range(3):
        stage_build(built, f"b{number}")
    flip(built.published, "b1")
    files = [path for path in (built.published / "builds").rglob("*") if path.is_file()]
    assert len(files) == 3 * (1 + 4 + 1), "the database, four tables, and the list of what is in them"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o444}
    discard(built.published, "b0")
    prune(built.published, keep=0)
    assert builds(built.published) == ["b1"]


def test_a_table_is_read_from_the_build_that_is_named_whatever_holds_its_database(built: Layout) -> None:
    file = stage_build(built, "b1") / DATABASE
    file.chmod(0o644)
    with duckdb.connect(file) as holder:
        holder.execute("delete from marts.fct_a")
        assert read_table(built.published, "b1", "marts.fct_a")["n"].sum() == 499_500


def test_parquet_holds_one_file_per_table_with_the_same_rows(built: Layout) -> None:
    folder = stage_build(built, "b1") / "parquet"
    files = sorted(folder.rglob("*.parquet"))
    assert [str(file.relative_to(folder)) for file in files] == [
        "marts/fct_a.parquet",
        "marts/fct_b.parquet",
        "quality/dq_verdict.parquet",
        "verdicts/Doelen van 's.parquet",
    ]
    assert pl.read_parquet(files[0])["n"].sum() == 499_500
    codec = duckdb.execute("select distinct compression from parquet_metadata(?)", [str(files[0])])
    assert codec.fetchall() == [("ZSTD",)]


def test_a_staged_build_is_whole_and_no_reader_sees_it_before_the_flip(built: Layout) -> None:
    folder = stage_build(built, "b1")
    assert folder == built.published / "builds" / "b1"
    assert (folder / DATABASE).exists()
    assert (folder / "parquet" / "marts" / "fct_a.parquet").exists()
    assert current(built.published) is None
    flip(built.published, "b1")
    flip(built.published, "b1")
    assert current(built.published) == "b1"
    assert str((built.published / "current").readlink()) == "builds/b1"
    assert json.loads((built.published / "current.json").read_bytes()) == {
        "build_id": "b1",
        "folder": "builds/b1",
        "duckdb": "builds/b1/ademruimte.duckdb",
        "parquet": "builds/b1/parquet",
    }


def test_a_table_that_did_not_change_is_the_same_file_under_one_more_name(built: Layout) -> None:
    first = stage_build(built, "b1")
    with connect(built.warehouse) as con:
        con.execute("update marts.fct_b set n = 7 where n = 3")
    second = stage_build(built, "b2")
    same = {
        name: (first / "parquet" / "marts" / name).samefile(second / "parquet" / "marts" / name)
        for name in ("fct_a.parquet", "fct_b.parquet")
    }
    assert same == {"fct_a.parquet": True, "fct_b.parquet": False}


@pytest.mark.parametrize("name", [DATABASE, "parquet/marts/fct_a.parquet"])
def test_a_file_that_somebody_wrote_to_is_no_base_for_the_next_build(built: Layout, name: str) -> None:
    damaged = stage_build(built, "b1") / name
    damaged.chmod(0o644)
    damaged.write_bytes(b"not what it was")
    folder = stage_build(built, "b2")
    assert read_table(built.published, "b2", "marts.fct_a")["n"].sum() == 499_500
    with opened_by_a_reader(folder / DATABASE) as con:
        assert con.execute("select sum(n) from marts.fct_a").fetchall() == [(499_500,)]
        assert con.execute("select comment from duckdb_tables() where table_name = 'fct_a'").fetchall() == [
            ("één rij per 'meting'",)
        ]


def test_a_database_in_which_tables_are_replaced_again_and_again_does_not_grow(built: Layout) -> None:
    sizes = []
    for number in range(8):
        with connect(built.warehouse) as con:
            con.execute(
                f"create or replace table marts.fct_a as select hash(n + {number}) as n from range(200000) r (n)"
            )
        sizes.append((stage_build(built, f"b{number}") / DATABASE).stat().st_size)
    assert max(sizes) <= 2.5 * sizes[0]


def test_a_flip_that_was_killed_before_its_last_step_is_done_again(built: Layout) -> None:
    for build in ("b1", "b2"):
        stage_build(built, build)
    flip(built.published, "b1")
    # the link is for a person's hand: readers, and the next build, go by the file
    (built.published / "current").unlink()
    (built.published / "current").symlink_to("builds/b2")
    assert current(built.published) == "b1"
    flip(built.published, "b2")
    assert current(built.published) == "b2"


def test_staging_a_build_twice_writes_it_once(built: Layout) -> None:
    written = (stage_build(built, "b1") / DATABASE).stat().st_mtime_ns
    assert (stage_build(built, "b1") / DATABASE).stat().st_mtime_ns == written


def test_what_a_killed_build_left_in_staging_is_no_build(built: Layout) -> None:
    half = built.published / ".staging" / "b1"
    half.mkdir(parents=True)
    (half / DATABASE).write_text("half")
    assert builds(built.published) == []
    folder = stage_build(built, "b1")
    opened_by_a_reader(folder / DATABASE).close()
    assert list((built.published / ".staging").iterdir()) == []


def test_a_build_that_fails_to_write_is_not_staged(built: Layout) -> None:
    def fail(_: Path) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        stage(built.published, "b1", fail)
    assert builds(built.published) == []


def test_pointing_at_an_unknown_build_leaves_readers_what_they_have(built: Layout) -> None:
    stage_build(built, "b1")
    flip(built.published, "b1")
    with pytest.raises(UnknownBuildError, match="build b2 is not staged; there are: b1"):
        flip(built.published, "b2")
    assert current(built.published) == "b1"


def test_a_flip_that_was_killed_between_its_two_steps_can_be_done_again(built: Layout) -> None:
    stage_build(built, "b1")
    (built.published / ".current.new").symlink_to("builds/gone")
    flip(built.published, "b1")
    assert current(built.published) == "b1"


def test_a_build_is_not_staged_when_it_might_not_fit(built: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    nearly_full = shutil.disk_usage("/")._replace(free=2**20)
    monkeypatch.setattr("shutil.disk_usage", lambda _: nearly_full)
    with pytest.raises(DiskFullError, match="build b1: 1 MiB free"):
        stage_build(built, "b1")
    assert builds(built.published) == []


def test_pruning_keeps_the_newest_builds_and_the_one_that_readers_see(built: Layout) -> None:
    for number in range(5):
        stage(built.published, f"b{number}", lambda folder: None)  # noqa: ARG005 - an empty build will do
    flip(built.published, "b0")
    assert prune(built.published, keep=2) == ["b2", "b1"]
    assert builds(built.published) == ["b0", "b3", "b4"]
    assert prune(built.published, keep=2) == []


def test_a_build_that_adds_nothing_is_discarded_unless_readers_see_it(built: Layout) -> None:
    for build in ("b1", "b2"):
        stage(built.published, build, lambda folder: None)  # noqa: ARG005 - an empty build will do
    flip(built.published, "b1")
    for build in ("b1", "b2", "b3"):
        discard(built.published, build)
    assert builds(built.published) == ["b1"]


def test_a_reader_in_this_process_sees_the_new_build_beside_the_old_one(built: Layout) -> None:
    pointer = built.published / "current" / DATABASE
    _publish(built, 1)
    old = opened_by_a_reader(pointer)
    _publish(built, 2)
    new = opened_by_a_reader(pointer)
    assert [con.execute("select max(build_no) from marts.fct_a").fetchone() for con in (old, new)] == [(1,), (2,)]
    old.close()
    new.close()


def _publish(layout: Layout, number: int) -> None:
    con = connect(layout.warehouse)
    con.execute("update marts.fct_a set build_no = ?", [number])
    con.execute("update marts.fct_b set build_no = ?", [number])
    con.close()
    stage_build(layout, f"b{number:02}")
    flip(layout.published, f"b{number:02}")
