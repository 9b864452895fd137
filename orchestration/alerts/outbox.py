"""From a digest to a delivered message, at least once: never lost, and repeated only under the same Message-ID."""

from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
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

    def mark_failed(self, message_key: str, error: str) -> None:
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
        try:
            channel.deliver(row)
        except DeliveryError as fault:
            state.mark_failed(row.message_key, str(fault))
            failed += 1
        else:
            state.mark_sent(row.message_key, now)
            sent += 1
    return SendResult(sent, failed)
