"""What was replaced can be erased, for good: nobody reads it meanwhile, and no backup brings it back unseen."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import duckdb
import polars as pl
import pytest

from orchestration.loop.build import Build, BuildBusyError, build_lock
from orchestration.loop.erasing import erase
from orchestration.loop.landing import land
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.replay import UnknownBatchError, replay
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_landing import drop
from tests.orchestration.test_replay import COACHES, DOSSIERS, HEADER, PERSON, ROWS, WEEK, folder, holds, only, rewrite
from warehouse.batch import LakeError, Manifest
from warehouse.lake import Lake
from warehouse.load import load
from warehouse.state import Erasure, State


@pytest.fixture
def settings(empty_profile: Callable[..., Settings]) -> Settings:
    """A week of a renovation coach of which an older door let a name in."""
    made = empty_profile()
    drop(made, COACHES, WEEK, HEADER + ROWS)
    land(made, made.contracts()[COACHES], NOW)
    rewrite(made, DOSSIERS, lambda rows: rows.with_columns(naam=pl.lit(PERSON)), "received", "quarantine")
    return made


@pytest.fixture
def replaced(settings: Settings) -> Manifest:
    """That batch, after a replay left the name behind in a new one."""
    first = only(settings)
    assert replay(settings, first.batch_id, LATER) is not None
    assert holds(settings.layout.lake, PERSON), "the batch that was replaced still holds it"
    return first


def erase_all(settings: Settings, *batch_ids: str) -> list[str]:
    return [manifest.batch_id for manifest in erase(settings, batch_ids, LATER)]


def recover(settings: Settings) -> None:
    """The first step of every build."""
    with build_lock(settings):
        Build(settings, LATER).recover()


def test_what_counts_cannot_be_erased(settings: Settings) -> None:
    with pytest.raises(LakeError, match="so its rows count; replay it first"):
        erase_all(settings, only(settings).batch_id)
    assert holds(settings.layout.lake, PERSON)
    with State(settings.layout.state) as state:
        assert state.buried() == [], "nor by a later build"


def test_what_was_replaced_is_erased_and_nothing_else_changes(settings: Settings, replaced: Manifest) -> None:
    again = only(settings)
    for _ in range(2):
        assert erase_all(settings, replaced.batch_id) == [replaced.batch_id]
    assert not holds(settings.layout.lake, PERSON)
    lake = Lake(settings.layout.lake)
    assert lake.live() == [again]
    assert lake.manifests() == [replaced, again]
    assert replay(settings, again.batch_id, LATER) is None


def test_a_warehouse_that_holds_what_was_erased_forgets_it_at_the_next_load(settings: Settings) -> None:
    first = only(settings)
    with duckdb.connect() as con:
        load(con, Lake(settings.layout.lake), settings.contracts())
        again = replay(settings, first.batch_id, LATER)
        assert again is not None
        erase_all(settings, first.batch_id)
        load(con, Lake(settings.layout.lake), settings.contracts())
        assert con.sql("select batch_id from landing.loaded_batches").fetchall() == [(again.batch_id,)]
        assert con.sql("select count(*) from landing.renovation_coach__dossiers").fetchall() == [(1,)]


def test_rows_of_a_source_that_nobody_promises_any_more_can_be_erased(settings: Settings, replaced: Manifest) -> None:
    of_old = settings.layout.lake / "coaches_of_old"
    (settings.layout.lake / COACHES).rename(of_old)
    for sealed in of_old.rglob("manifest.json"):
        sealed.write_text(sealed.read_text("utf-8").replace(f'"{COACHES}"', f'"{of_old.name}"'), encoding="utf-8")
    assert erase_all(settings, replaced.batch_id) == [replaced.batch_id]
    assert not holds(settings.layout.lake, PERSON)


def test_one_unknown_batch_among_others_erases_none(settings: Settings, replaced: Manifest) -> None:
    with pytest.raises(UnknownBatchError, match="no batch nothing"):
        erase_all(settings, replaced.batch_id, "nothing")
    assert holds(settings.layout.lake, PERSON)


def test_nothing_is_erased_while_a_build_reads(settings: Settings, replaced: Manifest) -> None:
    with build_lock(settings), pytest.raises(BuildBusyError):
        erase_all(settings, replaced.batch_id)
    assert holds(settings.layout.lake, PERSON)


def test_erasing_waits_for_a_replay_or_landing_of_its_source(settings: Settings, replaced: Manifest) -> None:
    erased: list[str] = []
    thread = Thread(target=lambda: erased.extend(erase_all(settings, replaced.batch_id)))
    with one_at_a_time(settings, COACHES):
        thread.start()
        thread.join(0.3)
        assert holds(settings.layout.lake, PERSON)
    thread.join(20)
    assert erased == [replaced.batch_id]


# --- for good ---------------------------------------------------------------------------------------------------


@pytest.fixture
def backup(settings: Settings, replaced: Manifest, tmp_path: Path) -> Path:
    """A copy of the batch, made before its rows were erased."""
    copied = shutil.copytree(folder(settings, replaced), tmp_path / "backup" / "batch")
    erase_all(settings, replaced.batch_id)
    return Path(copied)


def test_rows_that_a_backup_brings_back_are_erased_again_by_the_next_build(
    settings: Settings, replaced: Manifest, backup: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with State(settings.layout.state) as state:
        assert state.buried() == [Erasure(COACHES, replaced.batch_id, LATER)]
    shutil.copytree(backup, folder(settings, replaced), dirs_exist_ok=True)
    assert holds(settings.layout.lake, PERSON)
    with caplog.at_level(logging.WARNING, "ademruimte"):
        recover(settings)
    assert not holds(settings.layout.lake, PERSON)
    assert f"{replaced.batch_id}: was back in the lake, and is erased again" in caplog.text
    caplog.clear()
    recover(settings)
    assert not caplog.text, "a second time there is nothing to do"


def test_an_older_backup_in_which_the_erased_rows_count_is_told_until_a_replay_replaces_them(
    settings: Settings, replaced: Manifest, backup: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(folder(settings, only(settings)))
    shutil.copytree(backup, folder(settings, replaced), dirs_exist_ok=True)
    with caplog.at_level(logging.WARNING, "ademruimte"):
        recover(settings)
    assert "was erased, but counts again" in caplog.text
    assert "Replay it" in caplog.text
    assert only(settings) == replaced, "what counts is never erased"
    replay(settings, replaced.batch_id, LATER)
    recover(settings)
    assert not holds(settings.layout.lake, PERSON)


def test_erasing_that_was_killed_half_way_is_finished_by_the_next_build(settings: Settings, replaced: Manifest) -> None:
    with State(settings.layout.state) as state:
        state.bury(COACHES, replaced.batch_id, LATER)
    shutil.rmtree(folder(settings, replaced) / "accepted")
    recover(settings)
    assert not holds(settings.layout.lake, PERSON)
