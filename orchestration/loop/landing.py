"""Land one source: every file that waits, then what its supplier answers.

No warehouse is opened here, and no other source is touched.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path

from contracts.vocabulary import SourceContract
from orchestration.loop.context import clock_from
from orchestration.loop.dropped import forget_what_is_gone, shown, shown_name, waiting_files
from orchestration.loop.file_landing import land_file
from orchestration.loop.landed import Landed, Landing, Outcome
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.passage import what_broke
from orchestration.loop.pull_landing import land_pull
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.state import RefusedPull, State

_log = logging.getLogger("ademruimte.landing")


def land(
    settings: Settings, contract: SourceContract, now: datetime, *, is_asked: bool = True, only: Path | None = None
) -> list[Landed]:
    """Lands everything a source has to offer now.

    A refused delivery never stops another: its reason is in its own result.

    Args:
        settings: of the profile.
        contract: of the source.
        now: when this is.
        is_asked: whether a person asks, who wants to see every file tried; else a file that was refused stands
            refused until it, its manifest, the contract or the code changed.
        only: the one waiting file to land, when not everything.
    """
    settings.layout.create()
    with one_at_a_time(settings, contract.name), State(settings.layout.state) as state:
        lake = Lake(settings.layout.lake)
        lake.sweep()
        landing = Landing(settings, contract, now, lake, state, clock_from(settings, now), is_asked)
        # one after the other: what is told of a file is told when it landed
        found = chain(_land_files(landing, only), () if only else _land_pull(landing))
        return [_told(landed) for landed in found]


def _land_files(landing: Landing, only: Path | None) -> Iterator[Landed]:
    # a person who asks wants to see every file tried
    refusals = [] if landing.is_asked else landing.state.refusals(landing.contract.name)
    waiting = waiting_files(landing.settings, landing.contract, landing.now)
    for file in (each for each in waiting if only in (None, each.path)):
        found: list[Landed] = []
        with _bounded(landing, shown_name(file.path), found):
            found.append(land_file(landing, file, refusals))
        yield from found
    # what landed has landed, whatever becomes of the notes on what did not
    with suppress(OSError, sqlite3.Error):
        forget_what_is_gone(landing.state, landing.settings, landing.contract)


def _land_pull(landing: Landing) -> Iterator[Landed]:
    settings, contract = landing.settings, landing.contract
    if not contract.crons or (contract.endings and not settings.is_pulled(contract.name)):
        return
    found: list[Landed] = []
    with _bounded(landing, contract.name, found):
        found += land_pull(landing)
    # what landed has landed, whatever becomes of the notes on what did not
    with suppress(OSError, sqlite3.Error):
        refused = [each for each in found if each.outcome is Outcome.REFUSED]
        noted = (RefusedPull(each.source, each.origin, shown(each.message), landing.now) for each in refused)
        landing.state.note_pull(contract.name, noted)
    yield from found


@contextmanager
def _bounded(landing: Landing, origin: str, found: list[Landed]) -> Iterator[None]:
    """The boundary of one delivery: whatever breaks in it, the next delivery and source still land."""
    try:
        yield
    # the one place where anything at all may break: a stranger's file or answer
    except Exception as broken:  # noqa: BLE001
        _log.debug("%s", origin)
        what = what_broke(broken, landing.contract)
        found.append(landing.refuse(origin, f"{origin}: {what}; nothing of it was landed"))


def _told(landed: Landed) -> Landed:
    _log.info("%s %s: %s (%s)", landed.source, landed.origin, landed.outcome, landed.message)
    return landed
