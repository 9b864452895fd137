"""A disk that fills up half way a landing: the file waits, the lake holds a whole batch or none, nothing is twice."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration.loop.landed import Outcome
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW, settings_in
from warehouse.lake import Lake
from warehouse.state import State

SOURCE = "renovation_coach"
NAME = "renovatie_2026-W44_kortrijk.csv"
CONTENT = (
    "dossier;team;adres;intake_op;fase;fase_op\n"
    "K-1;kortrijk;Straat 1;2026-10-26;advies;2026-10-27\n"
    "K-2;kortrijk;Straat 2;2026-10-26;advies;niet\n"
)
PLENTY = 1000


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0


@pytest.fixture
def disk_of_few_files(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that takes only so many files; the kernel itself says when it is full."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", f"size=200m,nr_inodes={PLENTY}", "tmpfs", str(place)):
        pytest.skip("only root may mount a small disk to fill")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def may_make(disk_of_few_files: Path) -> Callable[[int], None]:
    """Lets the disk take that many files more."""

    def limit(more: int) -> None:
        used = sum(1 for _ in disk_of_few_files.rglob("*")) + 1
        assert mount("-o", f"remount,nr_inodes={used + more}", str(disk_of_few_files))

    return limit


@pytest.fixture
def settings(disk_of_few_files: Path) -> Settings:
    """A profile on that disk, with one file that waits."""
    settings = settings_in(disk_of_few_files / "var", {})
    settings.layout.create()
    settings.layout.drop(SOURCE).mkdir(parents=True)
    (settings.layout.drop(SOURCE) / NAME).write_text(CONTENT, encoding="utf-8")
    (settings.layout.drop(SOURCE) / f"{NAME}.ready").write_text(NOW.isoformat(), encoding="utf-8")
    return settings


def landed_once_there_is_room(settings: Settings, may_make: Callable[[int], None]) -> None:
    assert (settings.layout.drop(SOURCE) / NAME).exists()
    assert Lake(settings.layout.lake).manifests() == []
    may_make(PLENTY)
    (landed,) = land(settings, settings.contracts()[SOURCE], LATER, is_asked=False)
    assert landed.outcome is Outcome.LANDED, "what the disk did is not held against the file"
    assert not list(settings.layout.drop(SOURCE).iterdir())
    (batch,) = Lake(settings.layout.lake).manifests()
    assert (batch.tables["dossiers"].accepted, batch.tables["dossiers"].quarantined) == (1, 1)
    assert not list(settings.layout.staging.iterdir())
    with State(settings.layout.state) as state:
        assert state.refusals() == []
        assert [row.source for row in state.progress()] == [SOURCE]


# in the middle of the key, the folders of the batch, its files, and its manifest
@pytest.mark.parametrize("more", range(5, 17, 2))
def test_a_disk_that_fills_up_half_way_leaves_the_file_and_a_whole_lake(
    settings: Settings, may_make: Callable[[int], None], more: int
) -> None:
    may_make(more)
    (told,) = land(settings, settings.contracts()[SOURCE], NOW)
    assert told.outcome is Outcome.REFUSED
    assert "No space left" in told.message or "disk is full" in told.message
    landed_once_there_is_room(settings, may_make)


@pytest.mark.parametrize("more", [0, 1, 2])
def test_a_disk_without_room_for_the_state_takes_no_file(
    settings: Settings, may_make: Callable[[int], None], more: int
) -> None:
    may_make(more)
    with pytest.raises((OSError, sqlite3.OperationalError)):
        land(settings, settings.contracts()[SOURCE], NOW)
    landed_once_there_is_room(settings, may_make)
