"""How a message leaves the house. A channel delivers one message or says why not; it remembers nothing."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from ingestion.door import without_identifiers
from orchestration.alerts.digest import UNFOLDED
from orchestration.alerts.recipients import RecipientFileError, Recipients, is_deliverable
from warehouse.durable import replace_synced
from warehouse.state import OutboxMessage

_TIMEOUT_SECONDS = 20


class DeliveryError(Exception):
    """A message could not be delivered now; the text says why and holds no secret."""


class Channel(Protocol):
    """Anything that can deliver a message."""

    def deliver(self, row: OutboxMessage) -> None:
        """Deliver one message.

        Raises:
            DeliveryError: it was not delivered.
        """


@dataclass(frozen=True, slots=True)
class EmlFolder:
    """Writes every message as a file that any mail program opens; the default, no server needed."""

    folder: Path

    def deliver(self, row: OutboxMessage) -> None:
        """Write `<period>-<department>.eml`; delivering again gives the same file.

        Raises:
            DeliveryError: the folder cannot be written.
        """
        target = self.folder / f"{row.period}-{row.department_id}.eml"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_synced(target, row.message)
        except OSError as fault:
            raise DeliveryError(f"{target.name} cannot be written: {fault.strerror}; check the mail folder") from fault


@dataclass(frozen=True, slots=True)
class Smtp:
    """Hands every message to a mail server.

    Attributes:
        starttls: encrypt, and check the server's certificate; required when there is a password.
        recipients: whom to send to now; None sends to the address the message was written for.
        tls: which certificates to trust; None is what the machine trusts.
    """

    host: str
    port: int
    username: str | None = None
    password: SecretStr | None = None
    starttls: bool = True
    recipients: Recipients | None = None
    tls: ssl.SSLContext | None = None

    def deliver(self, row: OutboxMessage) -> None:
        """Send one message over a connection of its own.

        Raises:
            DeliveryError: no address is known for the department, or the server refused or did not answer.
        """
        mail = message_from_bytes(row.message, EmailMessage, policy=UNFOLDED)
        recipient = self._recipient(row, mail)
        content = row.message
        if recipient != mail["To"]:
            # An address that became known after the message was written.
            mail.replace_header("To", recipient)
            content = mail.as_bytes()
        with self._told_in_words(), self._connected() as server:
            self._enter(server)
            server.sendmail(parseaddr(mail["From"])[1], [recipient], content)

    def _recipient(self, row: OutboxMessage, mail: EmailMessage) -> str:
        written_for = parseaddr(mail["To"])[1]
        try:
            address = self.recipients.address(row.department_id) if self.recipients else written_for
        except RecipientFileError as fault:
            raise DeliveryError(f'held: whoever keeps the file with recipients must know: "{fault}"') from None
        if not is_deliverable(address):
            raise DeliveryError(
                f"held: no mail address for department {row.department_id}; "
                "add department_id and email to the file with recipients"
            )
        return address

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A connection. Once the content was accepted the message is sent, whatever the server says to a goodbye."""
        server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        try:
            yield server
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _enter(self, server: smtplib.SMTP) -> None:
        if self.starttls:
            server.starttls(context=self.tls or ssl.create_default_context())
        if self.username and self.password:
            if not self.starttls:
                raise DeliveryError(f"{self.host}: a password is never sent unencrypted; switch STARTTLS on")
            server.login(self.username, self.password.get_secret_value())

    @contextmanager
    def _told_in_words(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPRecipientsRefused as fault:
            code, answer = next(iter(fault.recipients.values()))
            raise self._error(f"refused the recipient: {code} {_text(answer)}") from None
        except smtplib.SMTPResponseException as fault:
            raise self._error(f"answered {fault.smtp_code} {_text(fault.smtp_error)}") from None
        except (smtplib.SMTPException, OSError) as fault:
            raise self._error(f"could not be used: {fault}") from None

    def _error(self, text: str) -> DeliveryError:
        # A server may repeat what it was sent, the address too.
        hidden = text.replace(self.password.get_secret_value(), "***") if self.password else text
        return DeliveryError(f"mail server {self.host}:{self.port} {without_identifiers(hidden)}")


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
