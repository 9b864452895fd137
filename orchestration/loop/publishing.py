"""Showing a build: in files always, in PostgreSQL where the city has one, and back to an earlier one.

The files come first and every other store follows them: one that fails is told to the data team, holds up nobody, and
catches up at the next build.
"""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from ingestion.door import without_identifiers
from orchestration.loop.plan import last_decision, to_show
from orchestration.loop.run_failures import note_run_failure
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.published.contents import filed_contents, warehouse_contents
from warehouse.published.duckdb_file import DuckdbFile
from warehouse.published.files import FileStore
from warehouse.published.parquet import ParquetFiles
from warehouse.published.store import KEPT, Store, UnknownBuildError
from warehouse.state import State
from warehouse.withdrawals import Withdrawal, withdraw

_log = logging.getLogger("ademruimte.publishing")
PUBLISHED_SCHEMAS = ("marts", "verdicts", "quality")


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What a rollback did.

    Attributes:
        taken_back: how many messages of the builds that are no longer shown had not left yet.
    """

    withdrawal: Withdrawal
    taken_back: int
    failed: Sequence[str]


def files_of(settings: Settings) -> FileStore:
    """The published folder: the store that the pipeline itself reads."""
    return FileStore(settings.layout.published, (DuckdbFile(), ParquetFiles()))


def other_stores(settings: Settings) -> list[Store]:
    """The stores that follow the files."""
    if settings.postgres_url is None:
        return []
    # its drivers take a quarter of a second, and many cities have files only
    from warehouse.published.postgres import PostgresStore  # noqa: PLC0415

    return [PostgresStore(settings.postgres_url.get_secret_value(), settings.city.restricted)]


def stage(settings: Settings, build_id: str, now: datetime) -> None:
    """Loads what readers may see into every store, where none looks yet.

    Raises:
        DiskFullError: the files might not fit; nothing was written.
        WarehouseBusyError: another process holds the warehouse.
    """
    with warehouse_contents(settings.layout.warehouse, build_id, PUBLISHED_SCHEMAS) as contents:
        loaded = files_of(settings).stage(contents)
        _log.info("%d of %d tables changed", len(loaded), len(contents.tables))
        for store in other_stores(settings):
            with _unstopped(settings, store, build_id, now):
                store.stage(contents)


def show(settings: Settings, build_id: str, now: datetime) -> list[str]:
    """Points the readers of every store at a staged build.

    Returns:
        Why a store that follows the files does not show it yet.
    """
    files = files_of(settings)
    files.flip(build_id)
    with State(settings.layout.state) as state:
        state.publish(build_id, files.name, now)
    files.prune()
    _log.info("published build %s", build_id)
    return [fault for store in other_stores(settings) for fault in _follow(settings, store, build_id, now)]


def discard(settings: Settings, build_id: str, now: datetime) -> None:
    """Forgets a staged build that adds nothing."""
    files_of(settings).discard(build_id)
    for store in other_stores(settings):
        with _unstopped(settings, store, build_id, now):
            store.discard(build_id)


def publish(settings: Settings, now: datetime) -> tuple[str, list[str]]:
    """Shows in every store the build that readers should see: the newest, or the one they were put back to.

    Args:
        settings: of the profile, whose build lock is held.
        now: the moment.

    Returns:
        The build, and why a store does not show it yet.

    Raises:
        LookupError: nothing was built yet.
    """
    last = last_decision(settings)
    if last is None:
        raise LookupError(f"nothing was built yet under {settings.layout.root}; run `ademruimte build`")
    build_id = to_show(settings, last)
    return build_id, show(settings, build_id, now)


def roll_back(settings: Settings, reason: str, now: datetime, to: str | None = None) -> RolledBack:
    """Puts the readers of every store back to an earlier build, and holds publishing.

    Messages of the builds that are withdrawn and that nobody has yet are taken back.

    Args:
        settings: of the profile, whose build lock is held.
        reason: why; whoever asks reads it.
        now: the moment.
        to: the build; the one before what readers see when none is named.

    Raises:
        UnknownBuildError: that build is not kept, or there is no earlier one.
    """
    shown = files_of(settings).current()
    target = _earlier(settings, shown, to)
    # first: what is killed from here on is finished by the next build
    said = withdraw(settings.layout.decisions, str(shown), target, without_identifiers(reason), now)
    failed = show(settings, target, now)
    committed = Lake(settings.layout.lake).build_ids()
    with State(settings.layout.state) as state:
        taken_back = state.take_back(committed[committed.index(target) + 1 :])
    return RolledBack(said, taken_back, failed)


def _earlier(settings: Settings, shown: str | None, to: str | None) -> str:
    kept = set(files_of(settings).builds())
    # a build of which the decisions were never committed was never said
    committed = [build_id for build_id in Lake(settings.layout.lake).build_ids() if build_id in kept]
    before = committed[: committed.index(shown)] if shown in committed else []
    if to is not None and to in before:
        return to
    if to is None and before:
        return before[-1]
    known = ", ".join(before) or "none"
    asked = "no build before it is" if to is None else f"build {to} is not"
    raise UnknownBuildError(f"readers see {shown}, and {asked} among the {KEPT} kept; to go back to there are: {known}")


def _follow(settings: Settings, store: Store, build_id: str, now: datetime) -> list[str]:
    """Makes a store show what the files show; what it lacks is loaded from the files, which nobody can lock.

    Returns:
        Why it could not, if it could not.
    """
    with _unstopped(settings, store, build_id, now) as faults:
        if build_id not in store.builds():
            with filed_contents(files_of(settings).folder(build_id)) as contents:
                store.stage(contents)
        store.flip(build_id)
        with State(settings.layout.state) as state:
            state.publish(build_id, store.name, now)
        store.prune()
    return faults


@contextmanager
def _unstopped(settings: Settings, store: Store, build_id: str, now: datetime) -> Iterator[list[str]]:
    """Lets the rest go on whatever a store does, and tells the data team."""
    faults: list[str] = []
    try:
        yield faults
    # a server that is away, full or closed to us, or a driver of it: whatever it is, the files are published
    except Exception as fault:  # noqa: BLE001
        faults.append(without_identifiers(str(fault)))
        _log.warning("build %s is not in %s, and the next build tries again: %s", build_id, store.name, faults[0])
        # where not even that can be noted, the log has said it
        with suppress(OSError, sqlite3.Error):
            note_run_failure(settings, "publish", f"{store.name} of build {build_id}", faults[0], now)
