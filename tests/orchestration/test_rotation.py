"""A new key: every pseudonym changes, every dwelling still joins, and a kill costs nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

from ingestion.door import KeyMissingError
from orchestration.loop.landing import land
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.plan import make_plan
from orchestration.loop.replay import replay
from orchestration.loop.rotation import Rotated, finish_rotation, rotate
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW, settings_in
from warehouse.batch import KNOWN_AT, Manifest
from warehouse.lake import Lake

ROOT = Path(__file__).parents[2]
SOURCE = "renovation_coach"
LATER = NOW + timedelta(hours=1)


def landed_in(home: Path, drops: Path, key: bytes | None = None) -> Settings:
    """The demo's renovation coaches, landed."""
    settings = settings_in(home, {})
    settings.layout.create()
    if key is not None:
        settings.pseudonym_key_file.write_bytes(key)
    shutil.copytree(drops / SOURCE, settings.layout.drop(SOURCE))
    land(settings, settings.contracts()[SOURCE], NOW)
    return settings


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory, demo_drops: Path) -> Path:
    return landed_in(tmp_path_factory.mktemp("coaches"), demo_drops).layout.root.parent


@pytest.fixture
def coaches(landed: Path, tmp_path: Path) -> Settings:
    """A copy that a test may change."""
    shutil.copytree(landed, tmp_path / "var")
    return settings_in(tmp_path / "var", {})


def live(settings: Settings) -> list[Manifest]:
    return Lake(settings.layout.lake).live(SOURCE)


def dwellings(settings: Settings, part: str = "accepted") -> list[pl.DataFrame]:
    """Every column that holds pseudonyms, batch by batch, in row order."""
    lake, contract = Lake(settings.layout.lake), settings.contracts()[SOURCE]
    found = []
    for manifest in live(settings):
        for table in contract.tables:
            wire = table.received.pseudonyms
            typed = [column.name for column in table.columns if column.wire in wire]
            # rows of one key are ordered by its pseudonym
            frame = lake.read(manifest, table.name, part).sort("line")  # type: ignore[arg-type]
            found.append(
                frame.select(typed if part == "accepted" else [name for name in wire if name in frame.columns])
            )
    return found


def pattern(frames: list[pl.DataFrame]) -> list[int]:
    """Which cells are equal, over all frames: all that a pseudonym has to tell."""
    cells = [cell for frame in frames for name in frame.columns for cell in frame[name].to_list()]
    first = {}
    return [first.setdefault(cell, len(first)) for cell in cells]


def test_every_pseudonym_changes_and_what_was_equal_stays_equal(coaches: Settings) -> None:
    before = dwellings(coaches)
    rotated = list(rotate(coaches, LATER))
    after = dwellings(coaches)
    assert len(rotated) == len(live(coaches)) > 0
    assert pattern(after) == pattern(before)
    old = {cell for frame in before for name in frame.columns for cell in frame[name].drop_nulls().to_list()}
    new = {cell for frame in after for name in frame.columns for cell in frame[name].drop_nulls().to_list()}
    assert old
    assert not old & new
    assert all(len(cell) == 64 for cell in new)


@pytest.mark.parametrize("part", ["received", "quarantine"])
def test_what_was_received_and_what_was_refused_get_the_new_key_too(coaches: Settings, part: str) -> None:
    before = pattern(dwellings(coaches, part))
    olds = {cell for frame in dwellings(coaches, part) for name in frame.columns for cell in frame[name].drop_nulls()}
    list(rotate(coaches, LATER))
    assert pattern(dwellings(coaches, part)) == before
    news = {cell for frame in dwellings(coaches, part) for name in frame.columns for cell in frame[name].drop_nulls()}
    assert not olds & news


def test_nothing_else_of_a_batch_changes(coaches: Settings) -> None:
    before = live(coaches)
    list(rotate(coaches, LATER))
    for old, new in zip(before, live(coaches), strict=True):
        assert new.supersedes == old.batch_id
        assert new.batch_id == f"{old.batch_id}.r1"
        assert (new.tables, new.known_at, new.supplied_at) == (old.tables, old.known_at, old.supplied_at)
        assert (new.content_sha256, new.origin, new.complete_until) == (
            old.content_sha256,
            old.origin,
            old.complete_until,
        )
        assert new.key_id == coaches.pseudonym_keys().key_id != old.key_id


def test_a_dwelling_landed_after_the_rotation_joins_with_itself_before_it(
    coaches: Settings, tmp_path: Path, demo_drops: Path
) -> None:
    list(rotate(coaches, LATER))
    # the same files, landed in a profile that has both keys from the start
    other = landed_in(tmp_path / "other", demo_drops, coaches.pseudonym_key_file.read_bytes())
    assert all(ours.equals(theirs) for ours, theirs in zip(dwellings(coaches), dwellings(other), strict=True))


def test_the_same_file_is_still_recognised_after_a_rotation(coaches: Settings) -> None:
    list(rotate(coaches, LATER))
    lake = Lake(coaches.layout.lake)
    assert [lake.find(SOURCE, each.content_sha256) for each in lake.live(SOURCE)] == lake.live(SOURCE)


def test_a_build_is_due_after_a_rotation(coaches: Settings) -> None:
    before = make_plan(coaches, LATER)
    list(rotate(coaches, LATER))
    assert make_plan(coaches, LATER).fingerprint != before.fingerprint


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_rotation_that_was_killed_goes_on_without_another_key(coaches: Settings, done: int) -> None:
    count = len(live(coaches))
    before = pattern(dwellings(coaches))
    halfway = rotate(coaches, LATER)
    made = list(islice(halfway, done)) if done else [next(halfway)]
    halfway.close()
    keys = coaches.pseudonym_keys()
    assert len(keys.keys) == 2
    rest = list(rotate(coaches, LATER))
    assert len(made) + len(rest) == count
    assert coaches.pseudonym_keys() == keys
    assert {manifest.key_id for manifest in live(coaches)} == {keys.key_id}
    assert pattern(dwellings(coaches)) == before


@pytest.fixture
def two_weeks(empty_profile: Callable[..., Settings]) -> Settings:
    """Two small batches of one dwelling each, and of one both have."""
    settings = empty_profile()
    settings.layout.drop(SOURCE).mkdir(parents=True)
    for week, number in ((44, 1), (45, 2)):
        rows = [f"K-{no};kortrijk;Straat {no};2026-10-19;advies;2026-10-20" for no in (0, number)]
        text = "\n".join(["dossier;team;adres;intake_op;fase;fase_op", *rows]) + "\n"
        path = settings.layout.drop(SOURCE) / f"renovatie_2026-W{week}_kortrijk.csv"
        path.write_text(text, encoding="utf-8")
        path.with_name(f"{path.name}.ready").touch()
    land(settings, settings.contracts()[SOURCE], NOW)
    return settings


@pytest.mark.chaos
def test_after_kill_9_anywhere_in_a_rotation_the_next_one_finishes_it(two_weeks: Settings) -> None:
    before, home = pattern(dwellings(two_weeks)), two_weeks.layout.root.parent
    script = [sys.executable, "-m", "tests.orchestration.dying", str(home)]
    told = subprocess.run(script, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    deaths = {int(touch): code for touch, code in json.loads(told.stdout).items()}
    *shot, (_, last) = sorted(deaths.items())
    assert last == 0, "the last child met no kill point, so the whole rotation was tried"
    assert {code for _, code in shot} == {-signal.SIGKILL}
    stood = set()
    for touch, _ in shot:
        settings = settings_in(home.with_name(str(touch)), {})
        keys = {manifest.key_id for manifest in live(settings)}
        stood.add((len(settings.pseudonym_keys().keys), len(keys)))
        assert len(live(settings)) == 2
        list(rotate(settings, LATER))
        ring = settings.pseudonym_keys()
        assert {manifest.key_id for manifest in live(settings)} == {ring.key_id}
        assert pattern(dwellings(settings)) == before
        assert not list(settings.layout.staging.iterdir())
    assert stood >= {(1, 1), (2, 1), (2, 2)}, "killed before the key, after it, and between the batches"


def test_a_second_rotation_goes_on_from_the_first(coaches: Settings) -> None:
    before = pattern(dwellings(coaches))
    for _ in range(2):
        list(rotate(coaches, LATER))
    assert len(coaches.pseudonym_keys().keys) == 3
    assert pattern(dwellings(coaches)) == before
    assert all(manifest.batch_id.endswith(".r2") for manifest in live(coaches))


def test_nothing_is_rotated_with_a_key_that_got_lost(coaches: Settings) -> None:
    coaches.pseudonym_key_file.write_text("another", encoding="ascii")
    batches = live(coaches)
    with pytest.raises(KeyMissingError, match="restore the key file"):
        list(rotate(coaches, LATER))
    assert live(coaches) == batches


def test_a_rotation_waits_for_a_landing(coaches: Settings) -> None:
    rotated: list[Rotated] = []
    thread = Thread(target=lambda: rotated.extend(rotate(coaches, LATER)))
    with one_at_a_time(coaches, SOURCE):
        thread.start()
        thread.join(0.3)
        assert not rotated
        assert len(coaches.pseudonym_keys().keys) == 1
    thread.join(20)
    assert rotated


def test_a_batch_without_pseudonyms_is_left_alone(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    assert list(rotate(settings, NOW)) == []
    assert len(settings.pseudonym_keys().keys) == 2


# --- a build goes on with it ------------------------------------------------------------------------------------


def killed_after_one(settings: Settings) -> None:
    halfway = rotate(settings, LATER)
    next(halfway)
    halfway.close()


def test_a_build_finishes_a_rotation_that_was_killed(coaches: Settings) -> None:
    before = pattern(dwellings(coaches))
    killed_after_one(coaches)
    count = len(live(coaches))
    assert len(finish_rotation(coaches, LATER)) == count - 1
    assert {manifest.key_id for manifest in live(coaches)} == {coaches.pseudonym_keys().key_id}
    assert pattern(dwellings(coaches)) == before
    assert finish_rotation(coaches, LATER) == []


def test_where_no_rotation_was_begun_a_build_makes_nothing_again(coaches: Settings) -> None:
    assert finish_rotation(coaches, LATER) == []


def test_where_nothing_was_landed_a_build_makes_no_key(empty_profile: Callable[..., Settings]) -> None:
    empty = empty_profile()
    assert finish_rotation(empty, LATER) == []
    assert not empty.pseudonym_key_file.exists()


def test_a_batch_whose_key_got_lost_makes_no_build_wait(coaches: Settings) -> None:
    killed_after_one(coaches)
    newest = coaches.pseudonym_key_file.read_text("ascii").split()[-1]
    coaches.pseudonym_key_file.write_text(newest, encoding="ascii")
    batches = live(coaches)
    finished: list[list[Rotated]] = []
    thread = Thread(target=lambda: finished.append(finish_rotation(coaches, LATER)))
    with one_at_a_time(coaches, SOURCE):
        thread.start()
        thread.join(20)
        assert finished == [[]]
    assert live(coaches) == batches


def test_what_a_build_finishes_is_newer_than_what_landed_while_it_waited(coaches: Settings) -> None:
    killed_after_one(coaches)
    finished: list[Rotated] = []
    thread = Thread(target=lambda: finished.extend(finish_rotation(coaches, LATER)))
    with one_at_a_time(coaches, SOURCE):
        thread.start()
        thread.join(0.3)
        assert not finished
    thread.join(20)
    made = {rotated.batch_id for rotated in finished}
    moments = {manifest.committed_at for manifest in live(coaches) if manifest.batch_id in made}
    assert min(moments) >= LATER + timedelta(seconds=0.2)


def test_rows_keep_the_moment_since_which_they_are_known(coaches: Settings) -> None:
    """One row of a batch was let in by a replay, an hour after the others."""
    lake = Lake(coaches.layout.lake)
    batch = next(each for each in live(coaches) if each.tables["dossiers"].accepted > 1)
    accepted = lake.file(batch, "dossiers", "accepted")
    whole = lake.read(batch, "dossiers", "accepted")
    whole.tail(whole.height - 1).write_parquet(accepted)
    again = replay(coaches, batch.batch_id, LATER)
    assert again is not None
    known = lake.read(again, "dossiers", "accepted").select("line", KNOWN_AT).sort("line")
    assert known[KNOWN_AT].unique().sort().to_list() == [NOW, LATER]
    list(rotate(coaches, LATER + timedelta(hours=1)))
    (rotated,) = [each for each in live(coaches) if each.supersedes == again.batch_id]
    assert lake.read(rotated, "dossiers", "accepted").select("line", KNOWN_AT).sort("line").equals(known)
