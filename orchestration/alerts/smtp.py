"""Mail by a server: one session for many messages, encrypted, logged in by password, as an application, or by address.

Belongs here: talking to the server. Does not belong here: what its answers mean (`mail_faults`).
"""

import smtplib
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr

from ingestion.door import without_identifiers
from orchestration.alerts import mail_faults
from orchestration.alerts.channels import Deliver, DeliveryError, HeldError, LineBrokenError, RefusedError
from orchestration.alerts.digest import UNFOLDED
from orchestration.alerts.mail_faults import Scope
from orchestration.alerts.recipients import RecipientFileError, Recipients, is_deliverable
from orchestration.alerts.tokens import Application
from warehouse.state import OutboxMessage

PER_MINUTE = 30
"""What Microsoft 365 takes from one mailbox."""

_TIMEOUT_SECONDS = 20
_MINUTE = 60.0
_OK = 250
_RAISES = {Scope.LINE: LineBrokenError, Scope.MESSAGE: RefusedError, Scope.LATER: DeliveryError}


class Encryption(StrEnum):
    """How the connection is encrypted; the certificate of the server is always checked."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Login:
    """A mailbox and its password."""

    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Smtp:
    """Hands messages to a mail server.

    Attributes:
        account: as whom; None where the server lets this machine in by its address.
        encryption: required when there is an account.
        recipients: whom to send to now; None sends to the address the message was written for.
        authority: certificates (PEM) to trust beside those the machine trusts.
        per_minute: as many messages at most.
        sleep: waits, so as not to pass that.
    """

    host: str
    port: int
    account: Login | Application | None = None
    encryption: Encryption = Encryption.STARTTLS
    recipients: Recipients | None = None
    authority: Path | None = None
    per_minute: int = PER_MINUTE
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    @contextmanager
    def open(self) -> Iterator[Deliver]:
        """One session; the server is only called when a message has somewhere to go."""
        session = _Session(self)
        try:
            yield session.deliver
        finally:
            session.close()


@dataclass(slots=True)
class _Session:
    """One conversation with the server, begun again when it broke off between two messages."""

    to: Smtp
    server: smtplib.SMTP | None = None
    token: SecretStr | None = None
    sent: deque[float] = field(default_factory=deque)

    def deliver(self, row: OutboxMessage) -> None:
        mail = message_from_bytes(row.message, EmailMessage, policy=UNFOLDED)
        recipient, content = self._recipient(row, mail), row.message
        if recipient != mail["To"]:
            # an address that became known after the message was written
            mail.replace_header("To", recipient)
            content = mail.as_bytes()
        self._keep_pace()
        with self._told_in_words():
            self._ready().sendmail(parseaddr(mail["From"])[1], [recipient], content)
        self.sent.append(time.monotonic())

    def close(self) -> None:
        """Whatever the server says to a goodbye, what it took is sent."""
        if self.server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self.server.quit()
            self.server.close()
            self.server = None

    def _recipient(self, row: OutboxMessage, mail: EmailMessage) -> str:
        written_for = parseaddr(mail["To"])[1]
        try:
            address = self.to.recipients.address(row.department_id) if self.to.recipients else written_for
        except RecipientFileError as fault:
            raise HeldError(f'held: whoever keeps the file with recipients must know: "{fault}"') from None
        if not is_deliverable(address):
            raise HeldError(
                f"held: no mail address for department {row.department_id}; "
                "add department_id and email to the file with recipients"
            )
        return address

    def _keep_pace(self) -> None:
        while self.sent and self.sent[0] <= time.monotonic() - _MINUTE:
            self.sent.popleft()
        if len(self.sent) >= self.to.per_minute:
            self.to.sleep(max(self.sent.popleft() + _MINUTE - time.monotonic(), 0.0))

    def _ready(self) -> smtplib.SMTP:
        """The server, listening: asked before a message, since nobody knows whether one was taken after a silence."""
        if self.server is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self.server.noop()[0] == _OK:
                    return self.server
            self.close()
        self.server = server = self._called()
        self._log_in(server)
        return server

    def _called(self) -> smtplib.SMTP:
        to = self.to
        if to.account is not None and to.encryption is Encryption.NONE:
            raise LineBrokenError(
                f"{to.host}: a password is never sent unencrypted; set ADEMRUIMTE_SMTP_STARTTLS=1 or "
                "ADEMRUIMTE_SMTP_TLS=1"
            )
        if to.encryption is Encryption.TLS:
            return smtplib.SMTP_SSL(to.host, to.port, timeout=_TIMEOUT_SECONDS, context=self._trusted())
        server = smtplib.SMTP(to.host, to.port, timeout=_TIMEOUT_SECONDS)
        try:
            if to.encryption is Encryption.STARTTLS:
                server.starttls(context=self._trusted())
        except BaseException:
            server.close()
            raise
        return server

    def _trusted(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.to.authority is not None:
            try:
                context.load_verify_locations(self.to.authority)
            except (OSError, ssl.SSLError):
                raise LineBrokenError(
                    f"{self.to.authority} holds no certificate that can be read; put the authority's there, as PEM, or "
                    "clear ADEMRUIMTE_SMTP_CA_FILE"
                ) from None
        return context

    def _log_in(self, server: smtplib.SMTP) -> None:
        account = self.to.account
        if account is None:
            return
        try:
            if isinstance(account, Login):
                server.login(account.username, account.password.get_secret_value())
            else:
                self.token = account.token()
                first = f"user={account.username}\x01auth=Bearer {self.token.get_secret_value()}\x01\x01"
                server.ehlo_or_helo_if_needed()
                # the second word of the server is why it refuses, and wants an empty line
                server.auth("XOAUTH2", lambda challenge=None: "" if challenge else first)
        except smtplib.SMTPResponseException as fault:
            login = "password" if isinstance(account, Login) else "application"
            raise self._refused(fault.smtp_code, fault.smtp_error, login) from None

    @contextmanager
    def _told_in_words(self) -> Iterator[None]:
        """Our own errors for those of the library; after one of the line the conversation is over."""
        try:
            yield
        except smtplib.SMTPRecipientsRefused as fault:
            code, answer = next(iter(fault.recipients.values()))
            raise self._refused(code, answer) from None
        except smtplib.SMTPSenderRefused as fault:
            told = self._refused(fault.smtp_code, fault.smtp_error)
            # the sender is the same of every message
            raise (told if fault.smtp_code == 552 else LineBrokenError(str(told))) from None
        except smtplib.SMTPResponseException as fault:
            raise self._refused(fault.smtp_code, fault.smtp_error) from None
        except ssl.SSLCertVerificationError as fault:
            why = mail_faults.of_certificate(fault, self.to.host)
            raise self._broken(f"could not be used, nothing was sent: {why}") from None
        except smtplib.SMTPNotSupportedError as fault:
            raise self._broken(f"cannot do what the settings ask: {fault}{self._unsupported(fault)}") from None
        except (smtplib.SMTPException, OSError) as fault:
            raise self._broken(f"could not be used: {fault or type(fault).__name__}{_unreachable(fault)}") from None

    def _refused(self, code: int, answer: bytes | str, login: str | None = None) -> DeliveryError:
        said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        scope, words = mail_faults.of_answer(code, said, login)
        refused = "refused the login" if login else "answered"
        told = self._named(f"{refused}: answered {code} {said}" if login else f"{refused} {code} {said}")
        return _RAISES[scope](f"{told}. What to do: {words}" if words else told)

    def _broken(self, text: str) -> LineBrokenError:
        return LineBrokenError(self._named(text))

    def _named(self, text: str) -> str:
        # a server may repeat what it was sent, the address too
        account = self.to.account
        secret = account.password if isinstance(account, Login) else account.secret if account else None
        for hidden in (secret, self.token):
            if hidden is not None and hidden.get_secret_value():
                text = text.replace(hidden.get_secret_value(), "***")
        return f"mail server {self.to.host}:{self.to.port} {without_identifiers(text)}"

    def _unsupported(self, fault: Exception) -> str:
        if "STARTTLS" in str(fault):
            return (
                " What to do: use the port of the server that encrypts (587), or ADEMRUIMTE_SMTP_TLS=1 with 465. Only "
                "for a relay within the city's own network ADEMRUIMTE_SMTP_STARTTLS=0"
            )
        return " What to do: clear ADEMRUIMTE_SMTP_USERNAME where the server lets this machine in by its address"


def _unreachable(fault: Exception) -> str:
    if isinstance(fault, ConnectionRefusedError | TimeoutError) or "getaddrinfo" in repr(fault):
        return (
            ". What to do: check ADEMRUIMTE_SMTP_HOST and _PORT, and whether the firewall lets this machine out there"
        )
    if isinstance(fault, ssl.SSLError):
        return ". What to do: ADEMRUIMTE_SMTP_TLS=1 belongs to port 465, STARTTLS to 587 or 25"
    return ". It is tried again by itself"
