import os
import stat
from pathlib import Path

from warehouse.layout import Layout


def test_a_stranger_can_enter_no_folder_whatever_the_umask(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "kortrijk")
    before = os.umask(0)
    try:
        layout.create()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in layout.root.iterdir()}
    assert modes.pop("secrets") == 0o700
    assert set(modes.values()) == {0o750}


def test_creating_twice_keeps_permissions_that_someone_gave(layout: Layout) -> None:
    layout.published.chmod(0o755)
    layout.create()
    assert stat.S_IMODE(layout.published.stat().st_mode) == 0o755


def test_staging_and_lake_share_a_file_system_so_that_a_rename_commits(layout: Layout) -> None:
    assert layout.staging.parent == layout.lake
    assert layout.drop("meters") == layout.root / "drop" / "meters"


def test_a_profile_is_synthetic_only_when_it_is_marked(layout: Layout) -> None:
    assert not layout.is_synthetic
    layout.marker.write_text("2026-11-23")
    assert layout.is_synthetic
