"""Cards in a Teams channel, by the webhook of a flow (Power Automate, "Workflows").

Whoever has the address of a flow can post in its channel: the addresses stand in a file outside the repository, and no
message, log or error shows one.
"""

import csv
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from ingestion.errors import SupplierError
from ingestion.http import Answer, Client, retry_after
from orchestration.alerts.channels import Deliver, HeldError, LineBrokenError, RefusedError
from orchestration.alerts.recipients import bare
from warehouse.state import OutboxMessage

TEAMS = "teams"
"""The way of a card, in the outbox."""

_COLUMNS = ("department_id", "url")
_DEADLINE_SECONDS = 20.0
# a flow is throttled for seconds; what asks for more is tried again with the next sending
_LONGEST_WAIT_SECONDS = 30.0
_USUAL_WAIT_SECONDS = 5.0
_MOST_WAITS = 2
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RETIRED = {
    "webhook.office.com": "an Office 365 connector, which Microsoft has ended",
    "logic.azure.com": "an address of before December 2025, which Microsoft has ended",
}
_NEW_ADDRESS = "open the flow in Power Automate as its owner and copy the address of its trigger again"
_GONE = "the flow is gone, often because its owner left: make it again with two owners, and put its address in the file"
_MEANT = {
    400: 'the flow does not understand the card: set `envelope` of this line to "card" (or "message" where it is that)',
    401: f"the signature in the address is wrong or was renewed: {_NEW_ADDRESS}",
    403: f"the flow may not be started by this address: {_NEW_ADDRESS}, and let anyone start it",
    404: _GONE,
    410: _GONE,
    413: "the card is larger than the flow takes",
}
_OF_THE_CARD = (400, 413)


class Envelope(StrEnum):
    """What a flow wants around a card: most templates a message, some nothing."""

    MESSAGE = "message"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where the cards of one department go."""

    address: SecretStr
    envelope: Envelope = Envelope.MESSAGE

    def around(self, card: object) -> bytes:
        """The card as this flow wants it."""
        content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        wrapped = {"type": "message", "attachments": [content]}
        sent = card if self.envelope is Envelope.CARD else wrapped
        return json.dumps(sent, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The flows by department, and what is wrong with the file; a line that is wrong takes no other with it."""

    known: Mapping[str, Webhook] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def webhooks(path: Path | None) -> Webhooks:
    """Read the addresses.

    Args:
        path: CSV (comma or semicolon, UTF-8) with department_id and url, and where wanted envelope (message or card);
            None when the city has no Teams.
    """
    if path is None:
        return Webhooks()
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return Webhooks(faults=(f"{path}: the addresses of Teams cannot be read; put the file back, as CSV in UTF-8",))
    rows = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        return Webhooks(faults=(f"{path}: line 1 lacks the column {', '.join(missing)}",))
    known: dict[str, Webhook] = {}
    faults: list[str] = []
    for row in rows:
        department, url, envelope = (bare(row.get(name)) for name in (*_COLUMNS, "envelope"))
        fault = _fault(url, envelope) or ("names a department a second time" if department in known else None)
        if fault is None:
            known[department] = Webhook(SecretStr(url), Envelope(envelope or Envelope.MESSAGE))
        else:
            faults.append(f"{path}: line {rows.line_num} {fault}")
    return Webhooks(known, tuple(faults))


def _fault(url: str, envelope: str) -> str | None:
    """What is wrong with a line, without its address."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "holds no address that can be read"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        return "holds no https address; copy the whole address of the flow's trigger"
    retired = next((why for ending, why in _RETIRED.items() if host.endswith(ending)), None)
    if retired is not None:
        return f"holds {retired}: {_NEW_ADDRESS}"
    if envelope and envelope not in list(Envelope):
        return "has an envelope that is neither message nor card"
    return None


@dataclass(frozen=True, slots=True)
class Teams:
    """Posts cards to the flows of the departments.

    Attributes:
        sleep: waits where a flow asks for it.
        deadline_seconds: how long a flow may take to answer.
    """

    webhooks: Webhooks
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    deadline_seconds: float = _DEADLINE_SECONDS

    @contextmanager
    def open(self) -> Iterator[Deliver]:
        """A flow keeps no session: each card is a call of its own."""
        yield self._post

    def _post(self, row: OutboxMessage) -> None:
        webhook = self.webhooks.known.get(row.department_id)
        if webhook is None:
            raise HeldError(
                f"held: no Teams address that can be used for {row.department_id}; put it in the file with webhooks"
            )
        content = webhook.around(json.loads(row.message))
        # what a flow does not read, a proxy or a log may: the same key is the same card
        headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": row.message_key}
        url = webhook.address.get_secret_value()
        with Client(url, headers, deadline_seconds=self.deadline_seconds) as client:
            try:
                answer = self._answer(client, url, content)
            except SupplierError as fault:
                raise LineBrokenError(
                    f"the Teams flow of {row.department_id} could not be reached: it {fault}"
                ) from None
        _judge(answer, row.department_id)

    def _answer(self, client: Client, url: str, content: bytes) -> Answer:
        answer = client.post_once(url, content)
        for _ in range(_MOST_WAITS):
            asked = retry_after(answer.headers)
            seconds = _USUAL_WAIT_SECONDS if asked is None else max(asked, 0.0)
            if answer.status != 429 or seconds > _LONGEST_WAIT_SECONDS:
                break
            self.sleep(seconds)
            answer = client.post_once(url, content)
        return answer


def _judge(answer: Answer, department: str) -> None:
    """Nothing for a card that was taken.

    Raises:
        DeliveryError: it was not; what the flow wrote is not repeated, for it may hold its own address.
    """
    status = answer.status
    if status in (200, 201, 202, 204):
        return
    told = f"the Teams flow of {department} answered HTTP {status}"
    if status in _OF_THE_CARD:
        raise RefusedError(f"{told}. What to do: {_MEANT[status]}")
    if status in _MEANT:
        raise LineBrokenError(f"{told}. What to do: {_MEANT[status]}")
    if status == 429:
        raise LineBrokenError(f"{told}: it asks us to wait, and is tried again by itself")
    if 300 <= status < 500:
        raise LineBrokenError(f"{told}. What to do: {_NEW_ADDRESS}")
    raise LineBrokenError(f"{told}. It is tried again by itself")
