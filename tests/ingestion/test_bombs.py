"""Files that are larger inside than outside are not opened; those that are not come out whole.

What each costs in a process of its own, `test_hostile_inputs` tries.
"""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.errors import UnreadableFileError
from ingestion.protocols.archive import unpacked
from ingestion.protocols.workbook_census import require_sane_workbook
from tests.ingestion.hostile import LAUGHS, sheet_of, tried, workbook, zip_of

_SECONDS = 5
_TREACHEROUS: dict[str, Callable[[], bytes]] = {
    "one cell in the far corner": lambda: workbook(b'<worksheet><c r="XFD1048576"><v>1</v></c></worksheet>'),
    "a billion laughs": lambda: workbook(LAUGHS),
    "laughs in the shared texts": lambda: workbook(b"<worksheet/>", LAUGHS),
    "a document type after a long comment": lambda: workbook(b"<!--" + b"x" * 9000 + b"-->" + LAUGHS[21:]),
    "UTF-16": lambda: workbook('<?xml version="1.0" encoding="UTF-16"?><worksheet/>'.encode("utf-16")),
    "another alphabet": lambda: workbook(b'<?xml version="1.0" encoding="UTF-7"?><worksheet/>'),
    "an unknown alphabet": lambda: workbook(b'<?xml version="1.0" encoding="EBCDIC-X"?><worksheet/>'),
    "thousands of parts": lambda: workbook(b"<worksheet/>", **{f"p{n}": b"" for n in range(1100)}),
}


@pytest.mark.parametrize("bomb", _TREACHEROUS)
def test_a_workbook_that_would_explode_in_its_reader_is_not_opened(bomb: str) -> None:
    with pytest.raises(UnreadableFileError, match="not opened"):
        require_sane_workbook(_TREACHEROUS[bomb](), "x")


def test_a_workbook_of_a_year_of_quarter_hours_is_no_bomb() -> None:
    cells = b"".join(b'<c r="%s7" t="s"><v>3</v></c>' % letter for letter in (b"A", b"B", b"AA"))
    require_sane_workbook(
        workbook(sheet_of(35_041, cells), b"<sst>" + b"<si><t>Afname Dag</t></si>" * 9 + b"</sst>"), "x"
    )


def test_a_colour_down_to_the_last_row_is_no_bomb() -> None:
    require_sane_workbook(workbook(b'<worksheet><row r="1048576"><c r="XFD1048576" s="1"/></row></worksheet>'), "x")


@pytest.mark.parametrize("place", [b' r="B2" r="XFD1048576"', b' x=">" r="XFD1048576"', b"\n r = 'XFD1048576'"])
def test_a_place_is_found_however_it_is_written(place: bytes) -> None:
    sheet = b"<x:worksheet><x:c%s><v>1</v></x:c></x:worksheet>" % place
    with pytest.raises(UnreadableFileError, match="1048576 rows by 16384 columns"):
        require_sane_workbook(workbook(sheet), "x")


def test_a_table_comes_out_of_its_archive() -> None:
    assert unpacked(gzip.compress(b"a;b\n1;2\n"), "x.csv.gz") == b"a;b\n1;2\n"
    assert unpacked(b"a;b\n", "x.csv") == b"a;b\n"
    found = unpacked(zip_of(("jan/a.csv", b"1"), ("..\\b.csv", b"2"), ("leeg/", b"")), "x.zip")
    assert found == [("a.csv", b"1"), ("b.csv", b"2")]


def test_a_table_in_several_members_or_padded_is_whole() -> None:
    assert unpacked(gzip.compress(b"a\n") + gzip.compress(b"b\n") + bytes(512), "x.gz") == b"a\nb\n"


def test_an_archive_of_countless_members_is_refused_in_seconds(tmp_path: Path) -> None:
    said, seconds, _ = tried("unpacked", gzip.compress(b"") * 300_000, tmp_path)
    assert "it has more than 10000 parts" in said
    assert seconds < _SECONDS


def test_a_workbook_stays_whole_also_within_an_archive() -> None:
    book = workbook(b"<worksheet/>")
    assert unpacked(book, "x.xlsx") == book
    assert unpacked(zip_of(("x.xlsx", book)), "x.zip") == [("x.xlsx", book)]


def _encrypted() -> bytes:
    archive = bytearray(zip_of(("a.csv", b"1")))
    archive[archive.find(b"PK\x01\x02") + 8] |= 1
    return bytes(archive)


def _another_checksum() -> bytes:
    archive = bytearray(zip_of(("a.csv", b"1")))
    archive[archive.find(b"PK\x01\x02") + 16] ^= 1
    return bytes(archive)


def _bzip2() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", b"1")
    return packed.getvalue()


_DAMAGED = {
    "an archive in an archive": (gzip.compress(gzip.compress(b"x")), "archive in an archive"),
    "a ZIP in a ZIP": (zip_of(("b.zip", zip_of(("a.csv", b"1")))), r"b\.zip: is an archive in an archive"),
    "a gzip in a ZIP": (zip_of(("b.gz", gzip.compress(b"x"))), "archive in an archive"),
    "too many files": (zip_of(*[(f"{n}.csv", b"1") for n in range(51)]), "holds 51 files"),
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
