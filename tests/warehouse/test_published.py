import json
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse.durable import DiskFullError
from warehouse.engine import connect
from warehouse.layout import Layout
from warehouse.published.parquet import read_table, write_parquet
from warehouse.published.pointer import (
    DATABASE,
    UnknownBuildError,
    builds,
    current,
    discard,
    flip,
    prune,
    stage,
)
from warehouse.published.snapshot import stage_build, write_duckdb

SCHEMAS = ("marts", "verdicts", "quality")


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
    write_duckdb(built.warehouse, tmp_path / "p.duckdb", SCHEMAS)
    con = opened_by_a_reader(tmp_path / "p.duckdb")
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
    write_duckdb(built.warehouse, tmp_path / "p.duckdb", SCHEMAS)
    con = opened_by_a_reader(tmp_path / "p.duckdb")
    tables = con.execute("select comment from duckdb_tables() where comment is not null order by table_name")
    assert tables.fetchall() == [("doelen",), ("één rij per 'meting'",)]
    columns = con.execute("select column_name, comment from duckdb_columns() where comment is not null order by all")
    assert columns.fetchall() == [("hoogste n", "de hoogste"), ("n", "volgnummer")]
    con.close()


def test_a_snapshot_is_written_in_the_format_that_older_readers_know(built: Layout, tmp_path: Path) -> None:
    write_duckdb(built.warehouse, tmp_path / "p.duckdb", SCHEMAS)
    # bytes 12 to 20 of a DuckDB file are its storage version: 64 is that of v1.0.0, a file of 2.0 says otherwise
    version = int.from_bytes((tmp_path / "p.duckdb").read_bytes()[12:20], "little")
    assert version == 64
    assert int.from_bytes(built.warehouse.read_bytes()[12:20], "little") != 64
    assert not (tmp_path / "p.duckdb.wal").exists()


def test_a_published_file_bears_no_permission_to_write_and_its_build_can_still_be_removed(built: Layout) -> None:
    for number in range(3):
        stage_build(built, f"b{number}", SCHEMAS)
    flip(built.published, "b1")
    files = [path for path in (built.published / "builds").rglob("*") if path.is_file()]
    assert len(files) == 15
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o444}
    discard(built.published, "b0")
    prune(built.published, keep=0)
    assert builds(built.published) == ["b1"]


def test_a_table_is_read_from_the_build_that_is_named_whatever_holds_its_database(built: Layout) -> None:
    file = stage_build(built, "b1", SCHEMAS) / DATABASE
    file.chmod(0o644)
    with duckdb.connect(file) as holder:
        holder.execute("delete from marts.fct_a")
        assert read_table(built.published, "b1", "marts.fct_a")["n"].sum() == 499_500


def test_parquet_holds_one_file_per_table_with_the_same_rows(built: Layout, tmp_path: Path) -> None:
    files = write_parquet(built.warehouse, tmp_path / "out", SCHEMAS)
    assert [str(file.relative_to(tmp_path / "out" / "parquet")) for file in files] == [
        "marts/fct_a.parquet",
        "marts/fct_b.parquet",
        "quality/dq_verdict.parquet",
        "verdicts/Doelen van 's.parquet",
    ]
    assert pl.read_parquet(files[0])["n"].sum() == 499_500
    codec = duckdb.execute("select distinct compression from parquet_metadata(?)", [str(files[0])])
    assert codec.fetchall() == [("ZSTD",)]


def test_a_staged_build_is_whole_and_no_reader_sees_it_before_the_flip(built: Layout) -> None:
    folder = stage_build(built, "b1", SCHEMAS)
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


def test_a_flip_that_was_killed_before_its_last_step_is_done_again(built: Layout) -> None:
    for build in ("b1", "b2"):
        stage_build(built, build, SCHEMAS)
    flip(built.published, "b1")
    # the link is for a person's hand: readers, and the next build, go by the file
    (built.published / "current").unlink()
    (built.published / "current").symlink_to("builds/b2")
    assert current(built.published) == "b1"
    flip(built.published, "b2")
    assert current(built.published) == "b2"


def test_staging_a_build_twice_writes_it_once(built: Layout) -> None:
    written = (stage_build(built, "b1", SCHEMAS) / DATABASE).stat().st_mtime_ns
    assert (stage_build(built, "b1", SCHEMAS) / DATABASE).stat().st_mtime_ns == written


def test_what_a_killed_build_left_in_staging_is_no_build(built: Layout) -> None:
    half = built.published / ".staging" / "b1"
    half.mkdir(parents=True)
    (half / DATABASE).write_text("half")
    assert builds(built.published) == []
    folder = stage_build(built, "b1", SCHEMAS)
    opened_by_a_reader(folder / DATABASE).close()
    assert list((built.published / ".staging").iterdir()) == []


def test_a_build_that_fails_to_write_is_not_staged(built: Layout) -> None:
    def fail(_: Path) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        stage(built.published, "b1", fail)
    assert builds(built.published) == []


def test_pointing_at_an_unknown_build_leaves_readers_what_they_have(built: Layout) -> None:
    stage_build(built, "b1", SCHEMAS)
    flip(built.published, "b1")
    with pytest.raises(UnknownBuildError, match="build b2 is not staged; there are: b1"):
        flip(built.published, "b2")
    assert current(built.published) == "b1"


def test_a_flip_that_was_killed_between_its_two_steps_can_be_done_again(built: Layout) -> None:
    stage_build(built, "b1", SCHEMAS)
    (built.published / ".current.new").symlink_to("builds/gone")
    flip(built.published, "b1")
    assert current(built.published) == "b1"


def test_a_build_is_not_staged_when_it_might_not_fit(built: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    nearly_full = shutil.disk_usage("/")._replace(free=2**20)
    monkeypatch.setattr("shutil.disk_usage", lambda _: nearly_full)
    with pytest.raises(DiskFullError, match="build b1: 1 MiB free"):
        stage_build(built, "b1", SCHEMAS)
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


def test_readers_never_see_half_a_build_and_never_stop_the_next(
    built: Layout, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    _publish(built, 1)
    readers = [start("reading.py", built.published, tmp_path / "end") for _ in range(3)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
    for number in range(2, 14):
        _publish(built, number)
    (tmp_path / "end").touch()
    ends = [reader.communicate(timeout=30) for reader in readers]
    assert [errors for _, errors in ends] == ["", "", ""]
    saw = [json.loads(out) for out, _ in ends]
    assert [one["torn"] for one in saw] == [0, 0, 0]
    assert all(one["kept"] for one in saw), "a reader that keeps its file open keeps its build, also when pruned"
    assert all(one["reads"] >= 12 for one in saw), saw
    assert all(len(one["seen"]) > 3 for one in saw), saw
    assert len(builds(built.published)) == 5


def _publish(layout: Layout, number: int) -> None:
    con = connect(layout.warehouse)
    con.execute("update marts.fct_a set build_no = ?", [number])
    con.execute("update marts.fct_b set build_no = ?", [number])
    con.close()
    stage_build(layout, f"b{number:02}", SCHEMAS)
    flip(layout.published, f"b{number:02}")
    prune(layout.published)
