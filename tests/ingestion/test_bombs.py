"""Files and answers that are larger inside than outside: refused quickly and in little memory.

Each is tried in a process of its own, which the kernel lets have 512 MiB more than it starts with.
"""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import UnreadableFileError
from ingestion.protocols.dropped_file import require_sane_workbook, unpacked

_SECONDS = 5
_ALLOWED = 512 * 1024 * 1024
_ROOT = Path(__file__).parents[2]
_CHILD = """
import json, resource, sys, time
from pathlib import Path
import polars, fastexcel
from ingestion.errors import SupplierError
from ingestion.http import Client
from ingestion.protocols.dropped_file import require_sane_workbook, unpacked
from contracts.vocabulary import Received
from ingestion.protocols.spreadsheet import read_table

def table(original, name):
    return read_table(original, name, Received(("a",), ("a",)))

def pages(original, name):
    url = original.decode()
    with Client(url, sleep=lambda _: None) as client:
        return client.get(url)

used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[3]),) * 2)
original = Path(sys.argv[2]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.process_time()
try:
    globals()[sys.argv[1]](original, "bom")
    said = "taken"
except SupplierError as refused:
    said = str(refused)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
print(json.dumps([said, time.process_time() - started, grown]))
"""


def _tried(how: str, original: bytes, folder: Path) -> tuple[str, float, int]:
    """What was said, the seconds of computing it took, and the MiB it needed more than before."""
    path = folder / "bom"
    path.write_bytes(original)
    command = [sys.executable, "-c", _CHILD, how, str(path), str(_ALLOWED)]
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


@pytest.mark.parametrize("bomb", _LARGE)
def test_a_workbook_that_is_a_bomb_is_refused_in_seconds_and_little_memory(bomb: str, tmp_path: Path) -> None:
    said, seconds, grown = _tried("table", _LARGE[bomb](), tmp_path)
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


@pytest.mark.parametrize("bomb", _ARCHIVES)
def test_an_archive_that_is_a_bomb_is_refused_in_seconds_and_little_memory(bomb: str, tmp_path: Path) -> None:
    said, seconds, grown = _tried("unpacked", _ARCHIVES[bomb](), tmp_path)
    assert "unpacks to more than" in said
    assert seconds < _SECONDS
    assert grown < _ALLOWED // 2**20


def test_an_answer_that_is_a_bomb_is_refused_in_seconds_and_little_memory(
    new_supplier: Callable[..., Any], tmp_path: Path
) -> None:
    bomb = _gzip_bomb()
    supplier = new_supplier(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb))
    said, seconds, grown = _tried("pages", supplier.url.encode(), tmp_path)
    assert "more than 200 MB" in said
    assert seconds < _SECONDS
    assert grown < _ALLOWED // 2**20
    assert len(supplier.asked) == 1


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
