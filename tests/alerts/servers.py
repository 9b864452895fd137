"""Real servers on loopback with the moods of real ones: mail, a token endpoint, and the webhook of a flow."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOKEN = "eyJ0-een-token-van-een-uur"
SECRET = "een-geheim-van-de-toepassing"
MAILBOX = "databord@stad.test"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Post:
    """A mail server: what it took, and what it says; an answer that is set is given once, or as often as it stands."""

    got: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    sessions: int = 0
    to_sender: str | None = None
    to_recipients: dict[str, list[str]] = field(default_factory=dict)
    to_content: list[str] = field(default_factory=list)
    goodbye: str | None = "221 Bye"

    @property
    def ids(self) -> list[str]:
        """The Message-IDs in the order in which they were taken."""
        return [mail["Message-ID"] for _, mail in self.got]

    # aiosmtpd looks its hooks up by these names
    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        self.sessions += not session.ssl
        return answers

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.to_sender is None:
            envelope.mail_from = address
        return self.to_sender or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answers = self.to_recipients.get(address)
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_content:
            return self.to_content.pop(0)
        mail = message_from_bytes(envelope.content or b"", EmailMessage, policy=policy.default)
        self.got.append((envelope.rcpt_tos, mail))
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        if self.goodbye is None:
            assert server.transport is not None
            server.transport.abort()
        return self.goodbye or "221 Bye"


@dataclass
class OfficePost(Post):
    """A mail server that wants XOAUTH2, as Microsoft 365 does."""

    tokens: tuple[str, ...] = (TOKEN,)
    refusal: str = "535 5.7.3 Authentication unsuccessful"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(args[1]).decode()
        fields = dict(part.split("=", 1) for part in said.split("\x01") if part)
        if fields.get("user") == MAILBOX and fields.get("auth") in {f"Bearer {token}" for token in self.tokens}:
            return AuthResult(success=True)
        why = base64.b64encode(json.dumps({"status": "400", "schemes": "Bearer"}).encode()).decode()
        answered = await server.challenge_auth(why, encode_to_b64=False)
        assert answered in (b"", MISSING), "a client answers the reason with an empty line"
        await server.push(self.refusal)
        return AuthResult(success=False, handled=True)


def only(login: str, password: str) -> Callable[..., AuthResult]:
    """Lets one account in."""

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: LoginPassword) -> AuthResult:
        is_right = (data.login, data.password) == (login.encode(), password.encode())
        return AuthResult(success=is_right, handled=False)

    return check


@contextmanager
def serving(post: Post, port: int | None = None, **options: object) -> Iterator[int]:
    """A mail server on a port of its own."""
    controller = Controller(post, hostname="127.0.0.1", port=port or free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@dataclass
class Flow:
    """The webhook of a flow, or a token endpoint: what came, and what it answers, the last answer for ever."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=lambda: [(202, {}, b"")])
    silent_for: float = 0.0
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """The keys of the cards that were taken."""
        return [headers["idempotency-key"] for _, headers, _ in self.got]

    def cards(self) -> list[dict[str, object]]:
        """What was posted."""
        return [json.loads(body) for _, _, body in self.got]


def handler_of(flow: Flow, is_over: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, content = flow.answers.pop(0) if len(flow.answers) > 1 else flow.answers[0]
            if flow.silent_for and is_over.wait(flow.silent_for):
                return
            if status < 300:
                flow.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def flowing(flow: Flow) -> Iterator[str]:
    """Serves it, and gives an address with a signature as a flow has."""
    is_over = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(flow, is_over))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/workflows/GEHEIM-1/triggers/manual/paths/invoke?sig=GEHEIM-2"
    finally:
        is_over.set()
        server.shutdown()
        server.server_close()


def asked_of(flow: Flow) -> dict[str, str]:
    """The form a token endpoint was sent last."""
    return {name: value for name, (value, *_) in parse_qs(flow.got[-1][2].decode()).items()}


def granting(token: str = TOKEN) -> Flow:
    """A token endpoint that grants."""
    return Flow([(200, {}, json.dumps({"access_token": token, "expires_in": 3599}).encode())])


def refusing(description: str) -> Flow:
    """A token endpoint that refuses."""
    said = {"error": "invalid_client", "error_description": description}
    return Flow([(401, {}, json.dumps(said).encode())])


def write_certificate(path: Path, address: str = "127.0.0.1", days: tuple[int, int] = (-1, 1)) -> Path:
    """A certificate that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    """What a server of that certificate speaks with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
