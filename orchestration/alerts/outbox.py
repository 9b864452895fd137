"""From a message to a delivered one, at least once: never lost, and repeated only under the same Message-ID.

Belongs here: what is tried, when it is given up, and who then hears of it. Does not belong here: how it is delivered
(`channels`).
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Protocol

from orchestration.alerts.channels import Channel, Deliver, DeliveryError, HeldError, LineBrokenError, RefusedError
from orchestration.alerts.data_team import DATA_TEAM
from orchestration.alerts.digest import KEY_HEADER, Digest
from warehouse.state import Alert, BrokenLine, DigestWeek, OutboxMessage

_log = logging.getLogger("ademruimte.messages")
MOST_TRIES = 3
"""So often a way or a message may fail before the data team is told by another way."""

MAIL = "mail"
"""The way of every message that has no other: the mail server, or the folder where there is none."""

FOLDER = "file"
"""The way that needs nobody: what nobody else takes lies there."""


class Outbox(Protocol):
    """The part of the state a sender needs."""

    def enqueue(
        self, rows: Iterable[OutboxMessage], alerts: Iterable[Alert] = (), weeks: Iterable[DigestWeek] = ()
    ) -> int:
        """Put messages in with what was decided; a key that is there is left alone. Returns how many were new."""

    def unsent(self) -> list[OutboxMessage]:
        """The messages that nobody has yet, oldest first."""

    def mark_sent(self, message_key: str, at: datetime) -> None:
        """Note that a message was delivered."""

    def mark_failed(
        self,
        message_key: str,
        error: str,
        at: datetime,
        *,
        is_dead: bool = False,
        notice: OutboxMessage | None = None,
    ) -> None:
        """Note why a message was not delivered, and the notice of it."""

    def mark_broken(
        self, line: str, message_keys: Iterable[str], error: str, at: datetime, notice: OutboxMessage | None = None
    ) -> None:
        """Note that a line delivers nothing, and the notice of it."""

    def mark_working(self, line: str) -> None:
        """Note that a line delivers."""

    def broken_lines(self) -> list[BrokenLine]:
        """The lines that deliver nothing at present."""

    def reroute(self, message_key: str, channel: str) -> None:
        """Let a message leave by another way."""


class SendResult(NamedTuple):
    """How many messages were delivered, and how many were not."""

    sent: int
    failed: int


class Undelivered(NamedTuple):
    """What the data team must know: messages that do not arrive, by which line, and why.

    `is_given_up` where they are tried no more.
    """

    line: str
    reason: str
    rows: Sequence[OutboxMessage]
    is_given_up: bool


Fallback = Callable[[Undelivered], OutboxMessage]
"""Makes the notice to the data team, by a way that works."""


def fill(
    state: Outbox,
    messages: Iterable[tuple[Digest, EmailMessage]],
    cards: Iterable[OutboxMessage] = (),
    alerts: Iterable[Alert] = (),
    weeks: Iterable[DigestWeek] = (),
) -> int:
    """Put the messages of one published build in the outbox, with what was decided by it: all or none.

    A department gets one message per period: what is there already, sent or not, stays as it is.

    Returns:
        How many were new.
    """
    return state.enqueue([*(_row(digest, mail) for digest, mail in messages), *cards], alerts, weeks)


def _row(digest: Digest, mail: EmailMessage) -> OutboxMessage:
    return OutboxMessage(
        message_key=str(mail[KEY_HEADER]),
        department_id=digest.department_id,
        period=digest.period,
        build_id=digest.build_id,
        subject=str(mail["Subject"]),
        message=mail.as_bytes(),
        created_at=mail["Date"].datetime,
    )


def send(
    state: Outbox,
    channel: Channel,
    now: datetime,
    fallback: Fallback,
    may_leave: Callable[[OutboxMessage], bool] = lambda _: True,
) -> SendResult:
    """Deliver what waits; a message that fails is noted and the others go on.

    Marked after delivery: a crash in between delivers the same Message-ID again, and loses nothing.

    Args:
        state: the outbox.
        channel: how to deliver.
        now: the moment to note (UTC).
        fallback: makes what tells the data team of messages that do not arrive.
        may_leave: whether it is the hour for a message; one that waits for it was not tried.
    """
    waiting = sorted(filter(may_leave, state.unsent()), key=lambda row: row.line)
    with channel.open() as deliver:
        sending = _Sending(state, deliver, now, fallback)
        results = [sending.empty(line, list(rows)) for line, rows in groupby(waiting, key=lambda row: row.line)]
    return SendResult(sum(each.sent for each in results), sum(each.failed for each in results))


@dataclass(frozen=True, slots=True)
class _Sending:
    """One round of everything that waits."""

    state: Outbox
    deliver: Deliver
    now: datetime
    fallback: Fallback

    def empty(self, line: str, rows: list[OutboxMessage]) -> SendResult:
        """Delivers what waits for one line; where the line itself fails, the rest of it is not even tried."""
        sent = 0
        for place, row in enumerate(rows):
            fault = self._fault_of(row)
            if isinstance(fault, LineBrokenError):
                self._note_broken(line, rows[place:], str(fault))
                break
            if fault is not None:
                self._note_failed(row, fault)
                continue
            self.state.mark_sent(row.message_key, self.now)
            self.state.mark_working(line)
            sent += 1
        return SendResult(sent, len(rows) - sent)

    def _fault_of(self, row: OutboxMessage) -> DeliveryError | None:
        """Why a message was not delivered; None when it was. Whatever is wrong with it, the next one is tried."""
        try:
            self.deliver(row)
        except DeliveryError as fault:
            return fault
        except Exception as fault:  # noqa: BLE001 - one message's fault is its own
            *_, last = traceback.extract_tb(fault.__traceback__)
            # what a stranger's exception quotes may be an address
            where = f"{Path(last.filename).name} line {last.lineno}"
            return RefusedError(f"not delivered: {type(fault).__name__} in {where}")
        return None

    def _note_failed(self, row: OutboxMessage, fault: DeliveryError) -> None:
        """A message that is refused for good is given up at the third time; one that may be taken later never is."""
        is_last = row.attempts + 1 >= MOST_TRIES and not isinstance(fault, HeldError)
        is_dead = is_last and isinstance(fault, RefusedError)
        if is_dead and row.department_id == DATA_TEAM and row.channel != FOLDER:
            # nobody is left to tell: it lies where nobody need take it
            self.state.reroute(row.message_key, FOLDER)
            self.state.mark_failed(row.message_key, str(fault), self.now)
            return
        notice = None
        if is_last and row.told_at is None and row.department_id != DATA_TEAM:
            notice = self._notice(Undelivered(row.line, str(fault), [row], is_dead))
        self.state.mark_failed(row.message_key, str(fault), self.now, is_dead=is_dead, notice=notice)

    def _note_broken(self, line: str, rows: list[OutboxMessage], reason: str) -> None:
        before = {each.line: each for each in self.state.broken_lines()}.get(line)
        is_told = before is not None and before.told_at is not None
        notice = None
        if not is_told and before is not None and before.failures + 1 >= MOST_TRIES:
            notice = self._notice(Undelivered(line, reason, rows, is_given_up=False))
        self.state.mark_broken(line, [row.message_key for row in rows], reason, self.now, notice)

    def _notice(self, lost: Undelivered) -> OutboxMessage | None:
        """What tells the data team; where it cannot be made now, the next try makes it, and nothing else waits."""
        try:
            return self.fallback(lost)
        except Exception as fault:  # noqa: BLE001 - as above
            _log.warning("no notice of %s could be made: %s", lost.line, type(fault).__name__)
            return None
