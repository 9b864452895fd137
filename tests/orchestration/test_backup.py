"""A backup is taken while the loop goes on, and what is put back is whole, checked, and sends nothing by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.registry import all_contracts
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW, settings_in
from warehouse.backup import Backup, BackupError, Snapshot
from warehouse.engine import connect, frame
from warehouse.lake import Lake
from warehouse.load import load
from warehouse.state import OutboxMessage, State

ROOT = Path(__file__).parents[2]
HEADER = "kpi_id;area;ref_date;value;unit;source;published_at;uncertainty"
FILES = 60
KEY = b"the key of the pseudonyms of Kortrijk"
MAIL = OutboxMessage("groen-2026-W47", "groen", "2026-W47", "b1", "Bomen", b"Subject: Bomen\n\n1", NOW)


def drop(settings: Settings, numbers: Iterable[int]) -> None:
    """Files of indicators, each with a row of its own and a row that is refused."""
    folder = settings.layout.drop("indicators")
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        day = (NOW - timedelta(days=FILES - number)).date()
        good = f"trees_extra;34022;{day};{number};trees (additional);groen;{day};"
        bad = f"trees_extra;34022;{day};veel;trees (additional);groen;{day};"
        path = folder / f"bomen_{number:02}.csv"
        path.write_text(f"{HEADER}\n{good}\n{bad}\n", encoding="utf-8")
        path.with_name(f"{path.name}.ready").write_text(f"{day}T05:30:00+00:00", encoding="utf-8")


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *words],
        env={**os.environ, **settings.environment, "PYTHONPATH": str(ROOT)},
        cwd=settings.layout.root,
        text=True,
        capture_output=True,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


def loaded_from(settings: Settings, warehouse: Path) -> pl.DataFrame:
    """The rows of a lake as a warehouse loads them."""
    with connect(warehouse) as con:
        load(con, Lake(settings.layout.lake), all_contracts())
        return frame(con, "select * from landing.indicators__observations order by batch_id, line")


def live(settings: Settings) -> set[str]:
    return {manifest.batch_id for manifest in Lake(settings.layout.lake).live()}


@pytest.fixture
def settings(empty_profile: Callable[..., Settings]) -> Settings:
    made = empty_profile()
    (made.layout.secrets / "pseudonym.key").write_bytes(KEY)
    return made


@pytest.fixture
def landed(settings: Settings) -> Settings:
    """Three files, and a message that waits."""
    drop(settings, range(3))
    land(settings, settings.contracts()["indicators"], NOW)
    with State(settings.layout.state) as state:
        state.enqueue([MAIL])
    return settings


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    """A profile in which nothing was made yet."""
    return settings_in(tmp_path / "elsewhere", {})


@pytest.mark.parametrize(("files", "most"), [(8, 2), pytest.param(FILES, 8, marks=pytest.mark.chaos)])
def test_backups_during_a_landing_each_hold_whole_batches_and_lose_nothing(
    settings: Settings, tmp_path: Path, files: int, most: int
) -> None:
    drop(settings, range(files))
    backups = Backup(tmp_path / "backups")
    landing = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "land", "indicators"],
        env={**os.environ, **settings.environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    taken: list[Snapshot] = []
    while len(taken) < most:
        before = taken[-1].files if taken else {}
        snapshot = backups.take(settings.layout, "kortrijk", NOW + timedelta(seconds=len(taken)))
        if landing.poll() is not None or snapshot.files.keys() != before.keys():
            taken.append(snapshot)
    assert landing.wait(timeout=120) == 0
    everything = loaded_from(settings, tmp_path / "whole.duckdb")
    assert len(live(settings)) == everything.height == files
    for snapshot in taken:
        own = settings_in(tmp_path / snapshot.name, {})
        backups.restore(backups.read(snapshot.name), own.layout, LATER)
        warehouse, batches = tmp_path / f"{snapshot.name}.duckdb", live(own)
        assert batches <= live(settings)
        assert loaded_from(own, warehouse).equals(everything.filter(pl.col("batch_id").is_in(batches)))
        drop(own, range(files))
        land(own, own.contracts()["indicators"], LATER)
        content = ["ref_date", "value"]
        assert (
            loaded_from(own, warehouse).select(content).sort(content).equals(everything.select(content).sort(content))
        )


def test_a_second_backup_writes_only_what_is_new(landed: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    assert "backup" in said(run(landed, "backup", str(folder)))
    before = {path: path.stat().st_ino for path in (folder / "objects").glob("*/*")}
    drop(landed, [3])
    land(landed, landed.contracts()["indicators"], LATER)
    first = Backup(folder).newest()
    second = Backup(folder).take(landed.layout, "kortrijk", LATER + timedelta(days=9))
    assert first is not None
    assert len(second.files) > len(first.files)
    after = {path: path.stat().st_ino for path in (folder / "objects").glob("*/*")}
    assert before.items() <= after.items()
    # the files of one batch, and the state
    assert 0 < len(after.keys() - before.keys()) <= len(second.files) - len(first.files) + 1


def test_no_key_and_nothing_that_can_be_made_again_is_in_a_backup(landed: Settings, tmp_path: Path) -> None:
    Backup(tmp_path / "backups").take(landed.layout, "kortrijk", NOW)
    contents = [path.read_bytes() for path in (tmp_path / "backups").rglob("*") if path.is_file()]
    assert contents
    assert not any(KEY in content for content in contents)
    snapshot = Backup(tmp_path / "backups").newest()
    assert snapshot is not None
    assert not [path for path in snapshot.files if Path(path).name.startswith(".")]


def test_what_was_put_back_is_what_was_there_and_sends_nothing_until_a_person_says_so(
    landed: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    folder = str(tmp_path / "backups")
    run(landed, "backup", folder)
    elsewhere.layout.create()
    assert "restored" in said(run(elsewhere, "restore", folder))
    assert loaded_from(elsewhere, tmp_path / "b.duckdb").equals(loaded_from(landed, tmp_path / "a.duckdb"))
    refused = run(elsewhere, "send")
    assert refused.returncode == 1
    assert "the outbox is held since" in said(refused)
    assert "was put back" in said(run(elsewhere, "outbox", "list"))
    assert "1 messages may leave" in said(run(elsewhere, "outbox", "release"))
    assert "1 messages sent" in said(run(elsewhere, "send"))
    assert [path.suffix for path in elsewhere.layout.mail.iterdir()] == [".eml"]


def test_a_person_can_hold_the_outbox_too(landed: Settings) -> None:
    run(landed, "outbox", "hold", "the figures of June are being looked at")
    assert "the figures of June are being looked at" in said(run(landed, "send"))
    with State(landed.layout.state) as state:
        assert [message.attempts for message in state.unsent()] == [0]


def test_a_backup_is_put_back_into_an_empty_profile_only(landed: Settings, tmp_path: Path) -> None:
    folder = str(tmp_path / "backups")
    run(landed, "backup", folder)
    refused = run(landed, "restore", folder)
    assert refused.returncode == 1
    assert "a backup is put back into an empty profile" in " ".join(said(refused).split())
    assert len(Lake(landed.layout.lake).live()) == 3


def test_a_damaged_file_is_found_and_nothing_is_put_back(landed: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    backups = Backup(tmp_path / "backups")
    snapshot = backups.take(landed.layout, "kortrijk", NOW)
    name, kept = next((name, kept) for name, kept in snapshot.files.items() if name.endswith(".parquet"))
    (tmp_path / "backups" / "objects" / kept.sha256[:2] / kept.sha256).write_bytes(b"rot")
    assert backups.faults(snapshot) == [each for each in snapshot.files if snapshot.files[each].sha256 == kept.sha256]
    checked = run(landed, "backup", str(tmp_path / "backups"), "--check")
    assert checked.returncode == 1
    assert "damaged" in said(checked)
    with pytest.raises(BackupError, match="is not what was backed up"):
        backups.restore(snapshot, elsewhere.layout, LATER)
    assert not elsewhere.layout.state.exists()
    assert Lake(elsewhere.layout.lake).live() == []
    assert name.startswith("lake/indicators/")


def test_older_backups_go_with_the_files_that_only_they_held(landed: Settings, tmp_path: Path) -> None:
    backups = Backup(tmp_path / "backups")
    backups.take(landed.layout, "kortrijk", NOW)
    drop(landed, [3])
    land(landed, landed.contracts()["indicators"], LATER)
    newest = backups.take(landed.layout, "kortrijk", LATER)
    assert len(backups.prune(1)) == 1
    assert backups.snapshots() == [newest.name]
    assert backups.faults(newest) == []
    assert {path.name for path in (tmp_path / "backups" / "objects").glob("*/*")} == {
        kept.sha256 for kept in newest.files.values()
    }


def test_a_backup_never_lies_in_the_profile_nor_beside_another_citys(landed: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="lies in the profile"):
        Backup(landed.layout.root / "backups").take(landed.layout, "kortrijk", NOW)
    backups = Backup(tmp_path / "backups")
    backups.take(landed.layout, "kortrijk", NOW)
    with pytest.raises(BackupError, match="holds backups of kortrijk"):
        backups.take(landed.layout, "terneuzen", LATER)


def test_a_restore_killed_anywhere_goes_on_at_the_next_call(landed: Settings, tmp_path: Path) -> None:
    backups = Backup(tmp_path / "backups")
    snapshot = backups.take(landed.layout, "kortrijk", NOW)
    ends = []
    for touch in range(1, 400, 13):
        own = settings_in(tmp_path / f"home{touch}", {})
        own.layout.create()
        child = os.fork()
        if child == 0:
            _die_at(touch)
            backups.restore(snapshot, own.layout, LATER)
            os._exit(0)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        if ends[-1]:
            # a build or a landing that comes in between finds all of it or nothing
            assert len(Lake(own.layout.lake).live()) in {0, 3}
            backups.restore(snapshot, own.layout, LATER)
        assert len(Lake(own.layout.lake).live()) == 3
        with State(own.layout.state) as state:
            assert state.outbox_hold() is not None
            assert [message.message_key for message in state.unsent()] == [MAIL.message_key]
        if not ends[-1]:
            break
    assert ends[-1] == 0
    assert set(ends[:-1]) == {-signal.SIGKILL}


def _die_at(touch: int) -> None:
    left = touch

    def watch(_frame: object, event: str, called: object) -> None:
        nonlocal left
        if event == "c_call" and getattr(called, "__name__", "") in {
            "mkdir",
            "fsync",
            "rename",
            "write",
            "chmod",
            "rmdir",
        }:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
