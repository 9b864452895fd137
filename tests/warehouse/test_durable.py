import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse.batch import Arrival
from warehouse.durable import (
    DiskFullError,
    is_disk_full,
    make_synced,
    move_into_place,
    replace_synced,
    require_free,
    sync_tree,
    telling_when_full,
    write_synced,
)
from warehouse.lake import Lake

MIB = 2**20


@pytest.mark.parametrize(("free", "fits"), [(64 * MIB + 300, True), (64 * MIB + 299, False)])
def test_three_times_the_payload_and_a_reserve_must_be_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, *, fits: bool
) -> None:
    measured = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: measured)
    if fits:
        require_free(tmp_path, 100, "a batch")
        return
    with pytest.raises(DiskFullError, match="a batch: 64 MiB free, 65 MiB needed"):
        require_free(tmp_path, 100, "a batch")


def test_a_rename_never_replaces_a_folder_with_content(tmp_path: Path) -> None:
    for name in ("staged", "final"):
        make_synced(tmp_path / name)
        write_synced(tmp_path / name / "file", name.encode())
    sync_tree(tmp_path)
    with pytest.raises(OSError, match="not empty"):
        move_into_place(tmp_path / "staged", tmp_path / "final")
    assert (tmp_path / "final" / "file").read_text() == "final"


def test_a_rename_makes_the_folder_it_needs(tmp_path: Path) -> None:
    make_synced(tmp_path / "staged")
    move_into_place(tmp_path / "staged", tmp_path / "new" / "source" / "batch=1")
    assert (tmp_path / "new" / "source" / "batch=1").is_dir()


def test_a_file_is_replaced_as_a_whole_and_closed_to_whom_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old")
    replace_synced(tmp_path / "key", b"new", 0o600)
    assert (tmp_path / "key").read_text() == "new"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_file_that_does_not_fit_leaves_the_old_one_and_nothing_beside_it(small_disk: Path) -> None:
    replace_synced(small_disk / "list", b"old")
    with pytest.raises(OSError, match="No space left"):
        replace_synced(small_disk / "list", b"x" * MIB)
    assert (small_disk / "list").read_text() == "old"
    assert [path.name for path in small_disk.iterdir()] == ["list"]


def system_is_full() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def sqlite_is_full() -> None:
    con = sqlite3.connect(":memory:")
    con.execute("pragma max_page_count = 2")
    for number in range(9):
        con.execute(f"create table t{number} (a)")


def polars_is_full() -> None:
    pl.DataFrame({"a": range(100_000)}).write_parquet("/dev/full")


def duckdb_is_full() -> None:
    duckdb.connect().execute("copy (select random() from range(1000000)) to '/dev/full' (format csv)")


FULL = [system_is_full, sqlite_is_full, polars_is_full, duckdb_is_full]


@pytest.mark.parametrize("write", FULL)
def test_a_disk_that_filled_up_is_told_by_whoever_writes_in_one_sentence(write: Callable[[], None]) -> None:
    with pytest.raises(DiskFullError) as told, telling_when_full("a batch"):
        write()
    assert (
        str(told.value)
        == "a batch: the disk is full, or cannot be written; nothing of it was kept. Make room, then run it again"
    )
    assert is_disk_full(told.value), "by its cause"


def test_another_fault_and_a_refusal_beforehand_stay_what_they_are() -> None:
    beforehand = DiskFullError("a batch: 1 MiB free")
    for fault in (ValueError("no number"), PermissionError(13, "not yours"), beforehand):
        with pytest.raises(type(fault)) as raised, telling_when_full("a batch"):
            raise fault
        assert raised.value is fault
        assert not is_disk_full(fault)


def test_a_batch_that_fills_the_disk_half_way_leaves_nothing(
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: Callable[..., pl.DataFrame],
    arrival: Callable[..., Arrival],
) -> None:
    lake = Lake(small_disk)
    plenty = shutil.disk_usage("/")._replace(free=2**40)
    monkeypatch.setattr("shutil.disk_usage", lambda _: plenty)
    too_much = arrival(rows([float(n) ** 0.5 for n in range(20_000)]))
    with pytest.raises(
        DiskFullError, match=r"meters: meters\.csv: the disk is full, or cannot be written; nothing of it was kept"
    ):
        lake.commit(too_much, datetime(2026, 11, 22, tzinfo=UTC))
    assert lake.live() == []
    assert list((small_disk / ".staging").iterdir()) == []
    assert lake.commit(arrival(rows([1.0])), datetime(2026, 11, 22, tzinfo=UTC)) in lake.live()
