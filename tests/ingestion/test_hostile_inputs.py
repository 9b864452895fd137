"""Hostile inputs of every kind: what each costs, and that it is refused, or read within bounds.

Prints the table: seconds of computing, MiB, outcome. Each is tried in a process of its own; what comes over HTTP is
sent by a real server on loopback.
"""

import gzip
import json
import re
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.ingestion.conftest import Supplier
from tests.ingestion.hostile import (
    ALLOWED,
    ARCHIVES,
    EXPORTS,
    JSON,
    LARGEST,
    TEXTS,
    UNPACKED,
    WORKBOOKS,
    XML,
    certificate,
    dripping,
    gzip_bomb,
    line,
    tried,
)

pytestmark = pytest.mark.chaos  # each in a process of its own

_MEBIBYTE = 2**20
_LARGEST_FILE = 200
_GIB = 2**30
_BESIDE_IT = 1024 - _LARGEST_FILE
_MINUTE = 60
_OCPI = "sent no OCPI envelope|none of its [0-9]+ objects can be read as a location of OCPI"
_REFUSED = "the operator sent|https?://"
Starts = Callable[[Callable[..., object]], Supplier]


@dataclass(frozen=True)
class Case:
    """An input.

    Attributes:
        how: which reader it is given to.
        make: its bytes; of an answer, those of the address that gives it.
        says: a pattern of what becomes of it.
        seconds: of computing that it may take.
        mebibytes: that it may take more than the process had; with the input itself, where that is a file.
        room: that the process may have in all, addresses that threads only reserve included.
    """

    how: str
    make: Callable[["Serving"], bytes]
    says: str
    seconds: float = 5
    mebibytes: int = ALLOWED // _MEBIBYTE
    room: int = ALLOWED


@dataclass(frozen=True)
class Serving:
    """What an input over HTTP is served with."""

    stack: ExitStack
    new_supplier: Starts
    folder: Path

    def answer(self, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """The address of a supplier that always answers so."""
        return self.new_supplier(lambda *_: (200, headers or {}, body)).url.encode()

    def talk(self, talks: Callable[..., None]) -> bytes:
        """The address of one that speaks no proper HTTP."""
        return self.stack.enter_context(line(talks)).encode()


def _endless(serving: Serving) -> bytes:
    """Pages of which each names a next one."""

    def answering(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        following = int(query.get("offset", 0)) + 1
        envelope = {"status_code": 1000, "timestamp": "2026-11-23T06:00:00Z", "data": []}
        headers = {"Link": f'<{supplier.url}/?offset={following}>; rel="next"', "X-Total-Count": "5"}
        return 200, headers, json.dumps(envelope).encode()

    supplier = serving.new_supplier(answering)
    return supplier.url.encode()


def _unvouched(serving: Serving) -> bytes:
    """A server whose certificate nobody vouches for."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate(serving.folder, datetime.now(UTC) + timedelta(days=1)))

    def talks(open_line: object) -> None:
        with tls.wrap_socket(open_line, server_side=True) as safe:  # type: ignore[arg-type]
            safe.recv(65536)

    return serving.talk(talks).replace(b"http:", b"https:")


_PACKED = {"Content-Encoding": "gzip"}
_DRIP = b"HTTP/1.1 200 OK\r\n\r\n[1, 2"
_CUT = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\nffff\r\n3"


def _text(kind: str) -> Case:
    refused = "taken|not opened|longer than|over 100|no row holds|binary"
    make = TEXTS[kind]
    return Case("table", lambda _: make(_LARGEST_FILE * _MEBIBYTE), refused, _MINUTE, _BESIDE_IT, 2 * _GIB)


def _cases() -> Iterator[tuple[str, Case]]:
    yield from ((f"text: 200 MB, {kind}", _text(kind)) for kind in TEXTS)
    for kind, lines in EXPORTS.items():
        # polars reserves far more addresses than it fills; what it fills is held against `_BESIDE_IT`
        room = 16 * _GIB
        says = "taken|more than|longer than"
        read = Case("export", lambda _, make=lines: make(_LARGEST_FILE * _MEBIBYTE), says, _MINUTE, _BESIDE_IT, room)
        yield f"text: 200 MB, {kind}", read
    for kind, make in WORKBOOKS.items():
        yield f"workbook: {kind}", Case("table", lambda _, make=make: make(), "bom: .*(not opened|damaged)")
    for kind, make in ARCHIVES.items():
        yield f"packed: {kind}", Case("unpacked", lambda _, make=make: make(), "unpacks to more than")
    for kind, make in JSON.items():
        yield f"JSON: {kind}", Case("locations", lambda serving, make=make: serving.answer(make()), _REFUSED)
    for kind in UNPACKED:
        sent = JSON[kind]
        packed = Case("locations", lambda serving, sent=sent: serving.answer(sent(), _PACKED), _REFUSED)
        yield f"JSON, packed by HTTP: {kind}", packed
    for kind, make in LARGEST.items():
        zipped = Case(
            "locations",
            lambda serving, make=make: serving.answer(gzip.compress(make(), 1)),
            f"taken|{_OCPI}",
            _MINUTE,
            room=8 * ALLOWED,
        )
        yield f"JSON, the largest that is read: {kind}", zipped
    for kind, make in XML.items():
        yield f"XML: {kind}", Case("requests", lambda serving, make=make: serving.answer(make()), "XML|taken", 10)
    yield "HTTP: a drip", Case("page", lambda serving: serving.talk(dripping(_DRIP, b" ")), "too long")
    yield "HTTP: an endless next", Case("locations", _endless, "has no end")
    yield "HTTP: a gzip bomb", Case("page", lambda serving: serving.answer(gzip_bomb(), _PACKED), "unpack to more than")
    yield "HTTP: a bad certificate", Case("page", _unvouched, "certificate")
    yield (
        "HTTP: a cut chunk",
        Case("page", lambda serving: serving.talk(_cut), "broke off"),
    )


def _cut(open_line: object) -> None:
    open_line.recv(65536)  # type: ignore[attr-defined]
    open_line.sendall(_CUT)  # type: ignore[attr-defined]


CASES = dict(_cases())


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """The rows of the table, printed when all were tried."""
    rows: list[str] = []
    yield rows
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        head = f"{'CPU s':>6} {'MiB':>5}  input, and what becomes of it"
        sys.stdout.write("\n" + "\n".join([head, *rows]) + "\n")


@pytest.mark.parametrize("kind", CASES)
def test_a_hostile_input_is_refused_or_read_within_bounds(
    kind: str, table: list[str], new_supplier: Starts, tmp_path: Path
) -> None:
    case = CASES[kind]
    with ExitStack() as stack:
        original = case.make(Serving(stack, new_supplier, tmp_path))
        said, seconds, mebibytes = tried(case.how, original, tmp_path, case.room)
    table.append(f"{seconds:6.1f} {mebibytes:5}  {kind}: {_short(said)}")
    assert re.search(case.says, said), said
    assert mebibytes <= case.mebibytes
    assert seconds <= case.seconds


def _short(said: str) -> str:
    return re.sub(r"(https?://[^ ]+?|bom): ", "", said)[:70]
