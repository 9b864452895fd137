import shutil
from pathlib import Path

import pytest

from warehouse.durable import DiskFullError, make_synced, move_into_place, require_free, sync_tree, write_synced

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
