"""What failed, kept for the next mail to the data team."""

import logging
import sqlite3
from contextlib import suppress
from datetime import datetime

from ingestion.door import without_identifiers
from orchestration.settings import Settings
from warehouse.state import RunFailure, State

_log = logging.getLogger("ademruimte.messages")
_LONGEST_REASON = 1000


def note_run_failure(settings: Settings, job: str, run_id: str, reason: str, at: datetime) -> None:
    """Keeps why a run failed for the next mail to the data team; a run is noted once."""
    settings.layout.create()
    with State(settings.layout.state) as state:
        state.note_failure(RunFailure(run_id, job, without_identifiers(reason[:_LONGEST_REASON]), at))


def note_unmade(settings: Settings, what: str, fault: Exception, now: datetime) -> None:
    """Keeps why a message could not be made; that is no reason to stop anything."""
    reason = f"{type(fault).__name__}: {fault}"
    _log.warning("%s was not made, and is tried again at the next build: %s", what, without_identifiers(reason))
    # where not even that can be noted, the log has said it
    with suppress(OSError, sqlite3.Error):
        note_run_failure(settings, "outbox", what, reason, now)
