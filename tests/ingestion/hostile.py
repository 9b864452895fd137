"""Inputs that are larger inside than outside, or have no end, and what reading one costs in a process of its own.

Belongs here: how each is made, and the process. Does not belong here: what must become of it (`test_hostile_inputs`).
"""

import gzip
import io
import ipaddress
import json
import socket
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ALLOWED = 512 * 1024 * 1024
_ROOT = Path(__file__).parents[2]
_HEADER = b"a;b\n"
_CELLS_OF_EMOJI = "\N{EVERGREEN TREE}".encode() + b"x" * 100_000 + b";2\n"
_EXPORT_HEADER = (
    b"Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;"
    b"Validatiestatus\n"
)
_EXPORT_ROW = (
    b'01-11-2026;00:00:00;01-11-2026;00:15:00;="541448860000000001";="1SAG1100000001";Digitaal;Afname Dag;'
    b"0,125;kWh;Uitgelezen\n"
)
_CHILD = """
import json, resource, sys, time
from pathlib import Path
import polars, fastexcel
from contracts.registry import city_named
from ingestion.delivery import Context
from ingestion.errors import SupplierError
from ingestion.http import Client
from ingestion.sources import charge_points
from ingestion.protocols.fluvius_csv import read_export
from ingestion.protocols.open311_body import rows_of
from ingestion.protocols.archive import unpacked
from ingestion.protocols.workbook_census import require_sane_workbook
from contracts.vocabulary import Received
from ingestion.protocols.spreadsheet import read_table

def table(original, name):
    return read_table(original, name, Received(("a",), ("a",)))

def export(original, name):
    return read_export(original, name)

def page(original, name):
    url = original.decode()
    with Client(url, sleep=lambda _: None, deadline_seconds=2) as client:
        return client.get(url).json()

def requests(original, name):
    url = original.decode()
    with Client(url) as client:
        return rows_of(client.get(url))

def locations(original, name):
    endpoint = charge_points.SOURCE.endpoint(url=original.decode())
    return charge_points.SOURCE.fetch(endpoint, Context(city_named("kortrijk")))

def peak():
    # ru_maxrss begins with what the process that started this one had
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[3]),) * 2)
original = Path(sys.argv[2]).read_bytes()
before = peak()
started = time.process_time()
try:
    globals()[sys.argv[1]](original, "bom")
    said = "taken"
except SupplierError as refused:
    said = str(refused)
grown = (peak() - before) // 1024
print(json.dumps([said, time.process_time() - started, grown]))
"""


def tried(how: str, original: bytes, folder: Path, allowed: int = ALLOWED) -> tuple[str, float, int]:
    """What was said, the seconds of computing it took, and the MiB it needed more than before.

    What is allowed counts addresses too that a thread only reserves: what is taken in needs more of those.
    """
    path = folder / "bom"
    path.write_bytes(original)
    command = [sys.executable, "-c", _CHILD, how, str(path), str(allowed)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=180, cwd=_ROOT)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    said, seconds, grown = json.loads(done.stdout)
    return said, seconds, grown


TEXTS: dict[str, Callable[[int], bytes]] = {
    "short rows": lambda size: _HEADER + b"1;2\n" * (size // 4),
    "an open quotation mark": lambda size: _HEADER + b'"' + b"a;b\n" * (size // 4),
    "a quotation mark in every row": lambda size: _HEADER + b'a;"b\n' * (size // 5),
    "one cell": lambda size: _HEADER + b"x" * size,
    "one quoted cell of lines": lambda size: _HEADER + b'"' + b"x\n" * (size // 2) + b'"',
    "separators": lambda size: _HEADER + b";" * size,
    "empty lines": lambda size: _HEADER + b"\n" * size,
    "quotation marks": lambda size: _HEADER + b'"' * size,
    "no header": lambda size: b"x;y\n" * (size // 4),
    "lines of an old Mac": lambda size: b"a;b\r" + b"1;2\r" * (size // 4),
    "another alphabet": lambda size: _HEADER + b"caf\xe9;\x80\n" * (size // 7),
    "no text": lambda size: b"\0" * size,
    "half of it, in long cells of emoji": lambda size: (
        _HEADER + _CELLS_OF_EMOJI * (size // 2 // len(_CELLS_OF_EMOJI) - 1)
    ),
}
"""Texts of about so many bytes, as a table that a person keeps."""

EXPORTS: dict[str, Callable[[int], bytes]] = {
    "rows of an export": lambda size: _EXPORT_HEADER + _EXPORT_ROW * (size // len(_EXPORT_ROW)),
    "rows of an export, one with an emoji": lambda size: (
        _EXPORT_HEADER + "\N{EVERGREEN TREE};".encode() + _EXPORT_ROW * (size // len(_EXPORT_ROW))
    ),
    "rows of an export in Windows-1252": lambda size: (
        _EXPORT_HEADER + b"m\xb3;" + _EXPORT_ROW * (size // len(_EXPORT_ROW))
    ),
    "short lines": lambda size: _EXPORT_HEADER + b";\n" * (size // 2),
    "an endless line": lambda size: _EXPORT_HEADER + b"x" * size,
}
"""The same as an export of meters."""


def workbook(sheet: bytes, strings: bytes = b"<sst/>", **more: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        book.writestr("xl/sharedStrings.xml", strings)
        for name, content in more.items():
            book.writestr(name, content)
    return packed.getvalue()


def lying(book: bytes) -> bytes:
    """The same workbook, of which the directory says that nothing in it is larger than 100 bytes."""
    lying = bytearray(book)
    at = -1
    while (at := book.find(b"PK\x01\x02", at + 1)) >= 0:
        lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    return bytes(lying)


def sheet_of(count: int, cell: bytes) -> bytes:
    return (
        b"<worksheet><sheetData>"
        + b"".join(b'<row r="%d">%s</row>' % (n, cell) for n in range(1, count))
        + b"</sheetData></worksheet>"
    )


@cache
def much(megabytes: int) -> bytes:
    """The pages of a sheet that hardly weigh anything once they are packed."""
    return b"<worksheet>" + bytes(megabytes * 2**20)


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><worksheet>&c;</worksheet>'
)
WORKBOOKS: dict[str, Callable[[], bytes]] = {
    "300 MB of nothing": lambda: workbook(much(300)),
    "300 MB that the directory denies": lambda: lying(workbook(much(300))),
    "two million cells and more": lambda: workbook(sheet_of(401_000, b"<c><v>17</v></c>" * 5)),
    "one text named 100 000 times": lambda: workbook(
        sheet_of(100_000, b'<c t="s"><v>0</v></c>'), b"<sst><si><t>" + b"x" * 32_000 + b"</t></si></sst>"
    ),
}


def gzip_bomb() -> bytes:
    """2 GB, in members of 16 MB that are quickly made."""
    return gzip.compress(bytes(2**24)) * 128


def zip_of(*files: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "gzip of 2 GB": gzip_bomb,
    "zip of 300 MB": lambda: zip_of(("x.csv", much(300))),
    "zip of 40 files of 9 MB": lambda: zip_of(*[(f"{n}.csv", bytes(9_000_000)) for n in range(40)]),
}


def nested(kernel: bytes, megabytes: int, before: bytes = b"[", after: bytes = b"0]") -> bytes:
    return before + kernel * (megabytes * 2**20 // len(kernel)) + after


JSON: dict[str, Callable[[], bytes]] = {
    "2 GB of nothing": gzip_bomb,
    "empty objects": lambda: gzip.compress(nested(b"{},", 20), 1),
    "empty objects, packed so poorly that the ratio is modest": lambda: poorly_packed(nested(b"{},", 190)),
    "objects in objects": lambda: gzip.compress(nested(b'{"a":{"a":{"a":[""]}}},', 9), 1),
    "one object of a million names": lambda: gzip.compress(
        b"{" + b",".join(b'"%x":"%x"' % (n, n) for n in range(1_700_000)) + b"}", 1
    ),
    "one long text, packed poorly": lambda: poorly_packed(nested(b"a", 190, b'["\xf0\x9f\x98\x80', b'"]')),
    "locations that are none": lambda: gzip.compress(nested(b"0,", 3), 1),
    "points that are none": lambda: gzip.compress(nested(b"0,", 3, b'[{"evses":[', b"0]}]"), 1),
    "private posts": lambda: gzip.compress(nested(b'{"publish":0},', 9, after=b'{"publish":0}]'), 1),
}


UNPACKED = ("2 GB of nothing", "empty objects", "empty objects, packed so poorly that the ratio is modest")


def poorly_packed(text: bytes) -> bytes:
    """A gzip of which a fiftieth is not packed at all."""
    packer = zlib.compressobj(1, wbits=31)
    noise = b'"' + b"x7" * (len(text) // 50 // 2) + b'",'
    stored = zlib.compressobj(0, wbits=31)
    first = stored.compress(text[:1] + noise) + stored.flush()
    return first + packer.compress(text[1:]) + packer.flush()


XML: dict[str, Callable[[], bytes]] = {
    "a billion laughs": lambda: LAUGHS,
    "elements in elements": lambda: nested(b"<a>", 9, b"<requests>", b""),
    "as many requests as may be": lambda: (
        b"<requests>" + b"<request><service_request_id>7</service_request_id></request>" * 140_000 + b"</requests>"
    ),
    "50 MB of them": lambda: b"<requests>" + b"<request/>" * 5_000_000 + b"</requests>",
    "one long text": lambda: b"<requests><request><a>" + b"x" * (9 * 2**20) + b"</a></request></requests>",
    "cut off": lambda: b"<requests><request>",
}


LARGEST: dict[str, Callable[[], bytes]] = {
    "the charge points of a country": lambda: json.dumps([with_two_points(n) for n in range(16_000)]).encode(),
    "as many names as may be": lambda: b"{" + b",".join(b'"%x":"%x"' % (n, n) for n in range(1_450_000)) + b"}",
    "as many rows as may be": lambda: b'[{"evses":[{"connectors":[' + b"0," * 299_000 + b"0]}]}]",
}


def with_two_points(number: int) -> dict[str, object]:
    """A location with what operators send along: 1.8 KB, as in the real feeds."""
    moment = "2026-11-23T05:59:58Z"
    connector = {"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE"}
    connector |= {"max_voltage": 230, "max_amperage": 16, "max_electric_power": 11040, "last_updated": moment}
    evse = {"uid": f"{number}", "evse_id": f"BE*ABC*E{number}", "status": "AVAILABLE", "last_updated": moment}
    evse |= {"capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"], "physical_reference": "onbekend"}
    evses = [evse | {"uid": f"{number}-{point}", "connectors": [connector]} for point in range(2)]
    location = {"country_code": "BE", "party_id": "ABC", "id": f"L{number}", "publish": True, "name": "Caf\u2019e"}
    location |= {"address": "Grote Markt 1", "city": "Kortrijk", "postal_code": "8500", "country": "BEL"}
    location |= {"coordinates": {"latitude": "50.827900", "longitude": "3.264900"}, "parking_type": "ON_STREET"}
    location |= {"operator": {"name": "ABC"}, "time_zone": "Europe/Brussels", "directions": [], "images": []}
    return location | {"opening_times": {"twentyfourseven": True}, "last_updated": moment, "evses": evses}


@contextmanager
def line(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A supplier that does what no HTTP library would."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                    with line:
                        talk(line)
                except OSError:
                    if listening.fileno() < 0:
                        return

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def dripping(before: bytes, dripped: bytes) -> Callable[[socket.socket], None]:
    def talk(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(before)
        for _ in range(400):
            time.sleep(0.01)
            line.sendall(dripped)

    return talk


def certificate(folder: Path, until: datetime) -> Path:
    """A certificate for 127.0.0.1 that only its own key vouches for, with that key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(until - timedelta(days=9))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "both.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
