"""Who commits batches of a source, who decides what is told, and who sends: one process at a time.

Belongs here: the lock of a source, and those of the outbox. Does not belong here: the lock of the profile, which a
build holds.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.settings import Settings


@contextmanager
def one_at_a_time(settings: Settings, source: str) -> Iterator[None]:
    """Waits for whatever else commits batches of this source: both would commit the same file."""
    with _lock_file(settings, source).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def one_sender(settings: Settings) -> Iterator[None]:
    """Waits for whatever else sends: both would deliver the same message."""
    with (settings.layout.root / ".send.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def one_teller(settings: Settings) -> Iterator[None]:
    """Waits for whatever else decides what is told: one would note as told what stands in neither message."""
    with (settings.layout.root / ".tell.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_landing(settings: Settings, source: str) -> bool:
    """Whether some process commits batches of this source at this moment."""
    with _lock_file(settings, source).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock_file(settings: Settings, source: str) -> Path:
    return settings.layout.root / f".land-{source}.lock"
