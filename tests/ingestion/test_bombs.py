"""Files and answers that are larger inside than outside: refused quickly and in little memory.

Each is tried in a process of its own, which the kernel lets have 512 MiB more than it starts with.
"""

import gzip
import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import UnreadableFileError
from ingestion.protocols.archive import unpacked
from ingestion.protocols.workbook_census import require_sane_workbook

_SECONDS = 5
_ALLOWED = 512 * 1024 * 1024
_ROOT = Path(__file__).parents[2]
_CHILD = """
import json, resource, sys, time
from pathlib import Path
import polars, fastexcel
from contracts.registry import city_named
from ingestion.delivery import Context
from ingestion.errors import SupplierError
from ingestion.http import Client
from ingestion.sources import charge_points
from ingestion.protocols.archive import unpacked
from ingestion.protocols.workbook_census import require_sane_workbook
from contracts.vocabulary import Received
from ingestion.protocols.spreadsheet import read_table

def table(original, name):
    return read_table(original, name, Received(("a",), ("a",)))

def pages(original, name):
    url = original.decode()
    with Client(url, sleep=lambda _: None) as client:
        return client.get(url).json()

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


def tried(how: str, original: bytes, folder: Path, allowed: int = _ALLOWED) -> tuple[str, float, int]:
    """What was said, the seconds of computing it took, and the MiB it needed more than before.

    What is allowed counts addresses too that a thread only reserves: what is taken in needs more of those.
    """
    path = folder / "bom"
    path.write_bytes(original)
    command = [sys.executable, "-c", _CHILD, how, str(path), str(allowed)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, cwd=_ROOT)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    said, seconds, grown = json.loads(done.stdout)
    return said, seconds, grown


def _workbook(sheet: bytes, strings: bytes = b"<sst/>", **more: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        book.writestr("xl/sharedStrings.xml", strings)
        for name, content in more.items():
            book.writestr(name, content)
    return packed.getvalue()


def _lying(book: bytes) -> bytes:
    """The same workbook, of which the directory says that nothing in it is larger than 100 bytes."""
    lying = bytearray(book)
    at = -1
    while (at := book.find(b"PK\x01\x02", at + 1)) >= 0:
        lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    return bytes(lying)


def _rows(count: int, cell: bytes) -> bytes:
    return (
        b"<worksheet><sheetData>"
        + b"".join(b'<row r="%d">%s</row>' % (n, cell) for n in range(1, count))
        + b"</sheetData></worksheet>"
    )


@cache
def _much(megabytes: int) -> bytes:
    """The pages of a sheet that hardly weigh anything once they are packed."""
    return b"<worksheet>" + bytes(megabytes * 2**20)


_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><worksheet>&c;</worksheet>'
)
_LARGE: dict[str, Callable[[], bytes]] = {
    "300 MB of nothing": lambda: _workbook(_much(300)),
    "300 MB that the directory denies": lambda: _lying(_workbook(_much(300))),
    "two million cells and more": lambda: _workbook(_rows(401_000, b"<c><v>17</v></c>" * 5)),
    "one text named 100 000 times": lambda: _workbook(
        _rows(100_000, b'<c t="s"><v>0</v></c>'), b"<sst><si><t>" + b"x" * 32_000 + b"</t></si></sst>"
    ),
}
_TREACHEROUS: dict[str, Callable[[], bytes]] = {
    "one cell in the far corner": lambda: _workbook(b'<worksheet><c r="XFD1048576"><v>1</v></c></worksheet>'),
    "a billion laughs": lambda: _workbook(_LAUGHS),
    "laughs in the shared texts": lambda: _workbook(b"<worksheet/>", _LAUGHS),
    "a document type after a long comment": lambda: _workbook(b"<!--" + b"x" * 9000 + b"-->" + _LAUGHS[21:]),
    "UTF-16": lambda: _workbook('<?xml version="1.0" encoding="UTF-16"?><worksheet/>'.encode("utf-16")),
    "another alphabet": lambda: _workbook(b'<?xml version="1.0" encoding="UTF-7"?><worksheet/>'),
    "an unknown alphabet": lambda: _workbook(b'<?xml version="1.0" encoding="EBCDIC-X"?><worksheet/>'),
    "thousands of parts": lambda: _workbook(b"<worksheet/>", **{f"p{n}": b"" for n in range(1100)}),
}


@pytest.mark.chaos  # each in a process of its own
@pytest.mark.parametrize("bomb", _LARGE)
def test_a_workbook_that_is_a_bomb_is_refused_in_seconds_and_little_memory(bomb: str, tmp_path: Path) -> None:
    said, seconds, grown = tried("table", _LARGE[bomb](), tmp_path)
    assert said.startswith("bom: ")
    assert "not opened" in said or "damaged" in said
    assert seconds < _SECONDS
    assert grown < _ALLOWED // 2**20


@pytest.mark.parametrize("bomb", _TREACHEROUS)
def test_a_workbook_that_would_explode_in_its_reader_is_not_opened(bomb: str) -> None:
    with pytest.raises(UnreadableFileError, match="not opened"):
        require_sane_workbook(_TREACHEROUS[bomb](), "x")


def _gzip_bomb() -> bytes:
    """2 GB, in members of 16 MB that are quickly made."""
    return gzip.compress(bytes(2**24)) * 128


def _zip(*files: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


_ARCHIVES: dict[str, Callable[[], bytes]] = {
    "gzip of 2 GB": _gzip_bomb,
    "zip of 300 MB": lambda: _zip(("x.csv", _much(300))),
    "zip of 40 files of 9 MB": lambda: _zip(*[(f"{n}.csv", bytes(9_000_000)) for n in range(40)]),
}


@pytest.mark.chaos  # each in a process of its own
@pytest.mark.parametrize("bomb", _ARCHIVES)
def test_an_archive_that_is_a_bomb_is_refused_in_seconds_and_little_memory(bomb: str, tmp_path: Path) -> None:
    said, seconds, grown = tried("unpacked", _ARCHIVES[bomb](), tmp_path)
    assert "unpacks to more than" in said
    assert seconds < _SECONDS
    assert grown < _ALLOWED // 2**20


def _nested(kernel: bytes, megabytes: int, before: bytes = b"[", after: bytes = b"0]") -> bytes:
    return before + kernel * (megabytes * 2**20 // len(kernel)) + after


_JSON: dict[str, Callable[[], bytes]] = {
    "2 GB of nothing": _gzip_bomb,
    "empty objects": lambda: gzip.compress(_nested(b"{},", 20), 1),
    "empty objects, packed so poorly that the ratio is modest": lambda: _poorly_packed(_nested(b"{},", 190)),
    "objects in objects": lambda: gzip.compress(_nested(b'{"a":{"a":{"a":[""]}}},', 9), 1),
    "one object of a million names": lambda: gzip.compress(
        b"{" + b",".join(b'"%x":"%x"' % (n, n) for n in range(1_700_000)) + b"}", 1
    ),
    "one long text, packed poorly": lambda: _poorly_packed(_nested(b"a", 190, b'["\xf0\x9f\x98\x80', b'"]')),
    "locations that are none": lambda: gzip.compress(_nested(b"0,", 3), 1),
    "points that are none": lambda: gzip.compress(_nested(b"0,", 3, b'[{"evses":[', b"0]}]"), 1),
    "private posts": lambda: gzip.compress(_nested(b'{"publish":0},', 9, after=b'{"publish":0}]'), 1),
}


_UNPACKED = ("2 GB of nothing", "empty objects", "empty objects, packed so poorly that the ratio is modest")


def _poorly_packed(text: bytes) -> bytes:
    """A gzip of which a fiftieth is not packed at all."""
    packer = zlib.compressobj(1, wbits=31)
    noise = b'"' + b"x7" * (len(text) // 50 // 2) + b'",'
    stored = zlib.compressobj(0, wbits=31)
    first = stored.compress(text[:1] + noise) + stored.flush()
    return first + packer.compress(text[1:]) + packer.flush()


# both ways go through one reading; what differs is who unpacks
@pytest.mark.chaos  # each in a process of its own
@pytest.mark.parametrize(
    ("bomb", "packed_as"), [*((bomb, "a file") for bomb in _JSON), *((bomb, "an answer") for bomb in _UNPACKED)]
)
def test_an_answer_that_is_a_bomb_is_refused_in_seconds_and_little_memory(
    new_supplier: Callable[..., Any], tmp_path: Path, bomb: str, packed_as: str
) -> None:
    body = _JSON[bomb]()
    headers = {"Content-Encoding": "gzip"} if packed_as == "an answer" else {}
    supplier = new_supplier(lambda *_: (200, headers, body))
    said, seconds, grown = tried("locations", supplier.url.encode(), tmp_path)
    assert said.startswith((supplier.url, "the operator sent"))
    assert seconds < _SECONDS
    assert grown < _ALLOWED // 2**20
    assert len(supplier.asked) == 1


_LARGEST: dict[str, Callable[[], bytes]] = {
    "the charge points of a country": lambda: json.dumps([_with_two_points(n) for n in range(16_000)]).encode(),
    "as many names as may be": lambda: b"{" + b",".join(b'"%x":"%x"' % (n, n) for n in range(1_450_000)) + b"}",
    "as many rows as may be": lambda: b'[{"evses":[{"connectors":[' + b"0," * 299_000 + b"0]}]}]",
}


@pytest.mark.chaos  # each in a process of its own
@pytest.mark.parametrize("answer", _LARGEST)
def test_the_largest_answer_that_is_read_needs_no_more_memory_than_a_bomb(
    new_supplier: Callable[..., Any], tmp_path: Path, answer: str
) -> None:
    body = gzip.compress(_LARGEST[answer](), 1)
    supplier = new_supplier(lambda *_: (200, {}, body))
    said, _, grown = tried("locations", supplier.url.encode(), tmp_path, allowed=8 * _ALLOWED)
    no_ocpi = "sent no OCPI envelope|none of its [0-9]+ objects can be read as a location of OCPI"
    assert said == "taken" or re.search(no_ocpi, said)
    assert grown < _ALLOWED // 2**20


def _with_two_points(number: int) -> dict[str, object]:
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


def test_a_workbook_of_a_year_of_quarter_hours_is_no_bomb() -> None:
    cells = b"".join(b'<c r="%s7" t="s"><v>3</v></c>' % letter for letter in (b"A", b"B", b"AA"))
    require_sane_workbook(
        _workbook(_rows(35_041, cells), b"<sst>" + b"<si><t>Afname Dag</t></si>" * 9 + b"</sst>"), "x"
    )


def test_a_colour_down_to_the_last_row_is_no_bomb() -> None:
    require_sane_workbook(_workbook(b'<worksheet><row r="1048576"><c r="XFD1048576" s="1"/></row></worksheet>'), "x")


@pytest.mark.parametrize("place", [b' r="B2" r="XFD1048576"', b' x=">" r="XFD1048576"', b"\n r = 'XFD1048576'"])
def test_a_place_is_found_however_it_is_written(place: bytes) -> None:
    sheet = b"<x:worksheet><x:c%s><v>1</v></x:c></x:worksheet>" % place
    with pytest.raises(UnreadableFileError, match="1048576 rows by 16384 columns"):
        require_sane_workbook(_workbook(sheet), "x")


def test_a_table_comes_out_of_its_archive() -> None:
    assert unpacked(gzip.compress(b"a;b\n1;2\n"), "x.csv.gz") == b"a;b\n1;2\n"
    assert unpacked(b"a;b\n", "x.csv") == b"a;b\n"
    found = unpacked(_zip(("jan/a.csv", b"1"), ("..\\b.csv", b"2"), ("leeg/", b"")), "x.zip")
    assert found == [("a.csv", b"1"), ("b.csv", b"2")]


def test_a_table_in_several_members_or_padded_is_whole() -> None:
    assert unpacked(gzip.compress(b"a\n") + gzip.compress(b"b\n") + bytes(512), "x.gz") == b"a\nb\n"


def test_an_archive_of_countless_members_is_refused_in_seconds(tmp_path: Path) -> None:
    said, seconds, _ = tried("unpacked", gzip.compress(b"") * 300_000, tmp_path)
    assert "it has more than 10000 parts" in said
    assert seconds < _SECONDS


def test_a_workbook_stays_whole_also_within_an_archive() -> None:
    book = _workbook(b"<worksheet/>")
    assert unpacked(book, "x.xlsx") == book
    assert unpacked(_zip(("x.xlsx", book)), "x.zip") == [("x.xlsx", book)]


def _encrypted() -> bytes:
    archive = bytearray(_zip(("a.csv", b"1")))
    archive[archive.find(b"PK\x01\x02") + 8] |= 1
    return bytes(archive)


def _another_checksum() -> bytes:
    archive = bytearray(_zip(("a.csv", b"1")))
    archive[archive.find(b"PK\x01\x02") + 16] ^= 1
    return bytes(archive)


def _bzip2() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", b"1")
    return packed.getvalue()


_DAMAGED = {
    "an archive in an archive": (gzip.compress(gzip.compress(b"x")), "archive in an archive"),
    "a ZIP in a ZIP": (_zip(("b.zip", _zip(("a.csv", b"1")))), r"b\.zip: is an archive in an archive"),
    "a gzip in a ZIP": (_zip(("b.gz", gzip.compress(b"x"))), "archive in an archive"),
    "too many files": (_zip(*[(f"{n}.csv", b"1") for n in range(51)]), "holds 51 files"),
    "half a gzip": (gzip.compress(b"x" * 999)[:-9], "ends too early"),
    "a broken gzip": (gzip.compress(b"x")[:9] + b"\xff" * 20, "cannot be unpacked"),
    "only the mark of a ZIP": (b"PK\x03\x04 and then nothing", "damaged"),
    "a password": (_encrypted(), "password"),
    "another checksum": (_another_checksum(), "not what it promises"),
    "another packing": (_bzip2(), "ordinary ZIP"),
}


# by name: packed bytes hold the second in which they were packed, and would name the test otherwise in each worker
@pytest.mark.parametrize("damage", _DAMAGED)
def test_what_cannot_be_unpacked_is_told_and_refused(damage: str) -> None:
    original, says = _DAMAGED[damage]
    with pytest.raises(UnreadableFileError, match=says):
        unpacked(original, "x")
