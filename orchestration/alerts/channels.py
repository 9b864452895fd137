"""How a message leaves the house: what every way has in common, and the simplest of them, a folder.

A channel is opened once for many messages, delivers each or says why not, and remembers nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from warehouse.durable import replace_synced
from warehouse.state import OutboxMessage

Deliver = Callable[[OutboxMessage], None]
"""Delivers one message, or raises a `DeliveryError`."""


class DeliveryError(Exception):
    """A message could not be delivered now; the text says why and what to do, and holds no secret."""


class HeldError(DeliveryError):
    """Nobody was asked to take it: something is missing that a person must give, and then it leaves by itself."""


class RefusedError(DeliveryError):
    """It is never taken as it is: trying again without a change is useless."""


class LineBrokenError(DeliveryError):
    """The way itself does not work: no other message leaves by it now."""


class Channel(Protocol):
    """Anything that can deliver messages."""

    def open(self) -> AbstractContextManager[Deliver]:
        """One session for as many messages as there are; nothing is asked of anybody before the first."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A way whose settings contradict each other: nothing leaves by it, and whoever looks reads why."""

    reason: str

    @contextmanager
    def open(self) -> Iterator[Deliver]:
        """Refuses every message."""
        yield self._refuse

    def _refuse(self, _: OutboxMessage) -> None:
        raise LineBrokenError(self.reason)


@dataclass(frozen=True, slots=True)
class EmlFolder:
    """Writes every message as a file that any mail program opens; the default, no server needed."""

    folder: Path

    @contextmanager
    def open(self) -> Iterator[Deliver]:
        """Writes `<period>-<department>.eml`; delivering again gives the same file."""
        yield self._write

    def _write(self, row: OutboxMessage) -> None:
        target = self.folder / f"{row.period}-{row.department_id}.eml"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_synced(target, row.message)
        except OSError as fault:
            raise LineBrokenError(
                f"{target.name} cannot be written: {fault.strerror}; check the mail folder"
            ) from fault
