"""Suppliers on the loopback, real files, and the city they belong to."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest

from contracts.cities.profile import City
from contracts.registry import city_named
from ingestion.delivery import DroppedFile

Reply = tuple[int, Mapping[str, str], bytes | Iterable[bytes]]
Answering = Callable[[str, dict[str, str]], Reply]

SERVER_DATE = "Mon, 23 Nov 2026 06:00:00 GMT"
SUPPLIED_AT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


@dataclass
class Supplier:
    """A supplier on the loopback; `answering` may be replaced, `asked`, `headers` and `forms` are what it saw."""

    url: str = ""
    answering: Answering = lambda _path, _query: (404, {}, b"")
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)


def _handler(supplier: Supplier) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            supplier.forms.append(dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())))
            self.do_GET()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            supplier.asked.append((parts.path, query))
            supplier.headers.append(dict(self.headers.items()))
            status, headers, body = supplier.answering(parts.path, query)
            self.send_response_only(status)
            length = {"Content-Length": str(len(body))} if isinstance(body, bytes) else {}
            for name, value in ({"Date": SERVER_DATE} | length | dict(headers)).items():
                self.send_header(name, value)
            self.end_headers()
            for chunk in [body] if isinstance(body, bytes) else body:
                self.wfile.write(chunk)
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Stays silent."""

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                return  # the client hung up, which is what some tests want

    return Handler


@pytest.fixture
def new_supplier() -> Iterator[Callable[[Answering], Supplier]]:
    servers: list[ThreadingHTTPServer] = []

    def start(answering: Answering) -> Supplier:
        supplier = Supplier(answering=answering)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(supplier))
        server.daemon_threads = True
        servers.append(server)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        supplier.url = f"http://127.0.0.1:{server.server_address[1]}"
        return supplier

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def kortrijk() -> City:
    return city_named("kortrijk")


@pytest.fixture
def drop(tmp_path: Path) -> Callable[[str, bytes | str], DroppedFile]:
    def put(name: str, content: bytes | str) -> DroppedFile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return DroppedFile(path, SUPPLIED_AT)

    return put
