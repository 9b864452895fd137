"""From a digest to a delivered message, at least once: never lost, and repeated only under the same Message-ID."""

import traceback
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple, Protocol

from orchestration.alerts.channels import Channel, DeliveryError
from orchestration.alerts.digest import KEY_HEADER, Digest
from warehouse.state import OutboxMessage


class Outbox(Protocol):
    """The part of the state a sender needs."""

    def enqueue(self, rows: Iterable[OutboxMessage]) -> int:
        """Put messages in; a key that is there already is left alone. Returns how many were new."""

    def unsent(self) -> list[OutboxMessage]:
        """The messages that nobody has yet, oldest first."""

    def mark_sent(self, message_key: str, at: datetime) -> None:
        """Note that a message was delivered."""

    def mark_failed(self, message_key: str, error: str, at: datetime) -> None:
        """Note why a message was not delivered."""


class SendResult(NamedTuple):
    """How many messages were delivered, and how many still wait."""

    sent: int
    failed: int


def fill(state: Outbox, messages: Iterable[tuple[Digest, EmailMessage]]) -> int:
    """Put the messages of one published build in the outbox, all or none.

    A department gets one message per period: what is there already, sent or not, stays as it is.

    Returns:
        How many were new.
    """
    return state.enqueue([_row(digest, mail) for digest, mail in messages])


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


def send(state: Outbox, channel: Channel, now: datetime) -> SendResult:
    """Deliver what waits; a message that fails is noted and the others go on.

    Marked after delivery: a crash in between delivers the same Message-ID again, and loses nothing.

    Args:
        state: the outbox.
        channel: how to deliver.
        now: the moment to note (UTC).
    """
    sent = failed = 0
    for row in state.unsent():
        why = _why_not(channel, row)
        if why is None:
            state.mark_sent(row.message_key, now)
            sent += 1
        else:
            state.mark_failed(row.message_key, why, now)
            failed += 1
    return SendResult(sent, failed)


def _why_not(channel: Channel, row: OutboxMessage) -> str | None:
    """Why a message was not delivered; None when it was. Whatever is wrong with it, the next one is tried."""
    try:
        channel.deliver(row)
    except DeliveryError as fault:
        return str(fault)
    except Exception as fault:  # noqa: BLE001 - one message's fault is its own
        *_, last = traceback.extract_tb(fault.__traceback__)
        # what a stranger's exception quotes may be an address
        return f"not delivered: {type(fault).__name__} in {Path(last.filename).name} line {last.lineno}"
    return None
