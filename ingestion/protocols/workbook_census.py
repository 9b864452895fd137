"""How large the sheets of a workbook become in memory, counted before a reader opens it.

What a workbook declares of itself is not believed. Does not belong here: unpacking it (`archive`), or reading its rows.
"""

import re
import zipfile
from collections.abc import Iterator
from functools import cache
from xml.parsers.expat import ExpatError, ParserCreate

import numpy as np

from ingestion.errors import UnreadableFileError
from ingestion.inflating import most_unpacked
from ingestion.protocols.archive import WORKBOOK, Allowance, content_of, entries_of

_CHUNK = 1024 * 1024
MOST_CELLS = 2_000_000
_MOST_TEXT = 256 * 1024 * 1024
_UTF_8 = (None, "utf-8", "utf8", "us-ascii", "ascii")
_UTF_16_STARTS = (b"\xff\xfe", b"\xfe\xff")
# where everyone writes the place of a cell, and the rest of the tag, whose values may hold a >
_CELL = re.compile(rb"""<(?:\w+:)?(?:(row)|c(?: r="([A-Z]{1,3})(\d{1,9})")?)(?=[\s/>])((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_PLACE = re.compile(rb"""\sr\s*=\s*["']\s*\$?([A-Za-z]{1,3})\$?(\d{1,9})""")
_STRING_END = re.compile(rb"</(?:\w+:)?si\s*>")
_NUMBER = re.compile(rb"<(?:\w+:)?v\b[^>]*>\s*(?:<!\[CDATA\[\s*)?(\d{1,9})")


def require_sane_workbook(original: bytes, name: str) -> None:
    """Refuses a workbook that would cost more than any table is worth, before a reader opens it.

    Raises:
        UnreadableFileError: damaged, no XLSX, encrypted, XML that is not plain, over 1000 parts, unpacking to
            more than 200 MB or 100 times its size, or a sheet of more than 2 000 000 cells.
    """
    entries = entries_of(original, name)
    _require_modest_promise(entries, name)
    if WORKBOOK not in {entry.filename for entry in entries}:
        raise UnreadableFileError("no_workbook", name, part=WORKBOOK)
    allowance = Allowance(name, len(original))
    census = _Census(name)
    for entry in entries:
        for piece in _pieces(content_of(original, entry, allowance), name):
            census.count(piece)
        census.end_of_part()
    census.require_modest_text()


def _require_modest_promise(entries: list[zipfile.ZipInfo], name: str) -> None:
    size, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if size > most_unpacked(packed):
        raise UnreadableFileError("bomb", name, size=size // 2**20, parts=len(entries), times=size // max(packed, 1))


def _pieces(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The chunks of a part again, cut only in front of a `<`; the first shows whether it is plain XML."""
    before = b""
    for at, chunk in enumerate(chunks):
        if at == 0:
            _require_plain_xml(chunk, name)
        piece = before + chunk
        cut = piece.rfind(b"<")
        if cut < 0 or len(piece) - cut > 2 * _CHUNK:
            cut = len(piece)
        before = piece[cut:]
        yield piece[:cut]
    yield before


def _require_plain_xml(start: bytes, name: str) -> None:
    """No document type, so no entities, and UTF-8, so that what is counted is what a reader sees.

    All this stands in front of the root element; the rest of the part is not parsed here.
    """
    if start.startswith(_UTF_16_STARTS) or (b"<" in start[:4] and b"\0" in start[:4]):
        raise UnreadableFileError("xml_entities", name)
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return
    found: list[str] = []
    parser = ParserCreate()
    parser.XmlDeclHandler = lambda _version, encoding, _alone: _note(found, encoding)
    parser.StartDoctypeDeclHandler = lambda *_: found.append("document type")
    parser.StartElementHandler = lambda *_: found.append("root")
    try:
        for at in range(0, len(start), 4096):
            parser.Parse(start[at : at + 4096])
            if found:
                break
    # ValueError: an encoding that the parser does not know
    except (ExpatError, ValueError, LookupError):
        found.append("broken")
    if found[:1] != ["root"]:
        raise UnreadableFileError("xml_entities", name)


def _note(found: list[str], encoding: str | None) -> None:
    if (encoding.lower() if encoding else None) not in _UTF_8:
        found.append("encoding")


class _Census:
    """How large the sheets of a workbook become in memory; what they declare themselves is not believed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._row = self._column = self._last_row = self._last_column = 0
        self._text = 0
        self._texts: list[int] = []
        self._references: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []

    def count(self, piece: bytes) -> None:
        """Takes in a piece of a part.

        Raises:
            UnreadableFileError: the sheet it belongs to became too large.
        """
        for row, letters, number, rest in _CELL.findall(piece):
            if row:
                self._row, self._column = self._row + 1, 0
            else:
                self._cell(letters, number, rest)
        if self._last_row * self._last_column > MOST_CELLS:
            raise UnreadableFileError("sheet_too_large", self._name, rows=self._last_row, columns=self._last_column)
        self._strings(piece)

    def end_of_part(self) -> None:
        """The next piece belongs to another part."""
        self._row = self._column = self._last_row = self._last_column = self._text = 0

    def require_modest_text(self) -> None:
        """Counts the shared texts as often as cells may name them: a reader copies them that often.

        Raises:
            UnreadableFileError: over 256 MB.
        """
        sizes = np.asarray(self._texts, dtype=np.int64)
        named = np.concatenate([np.empty(0, np.int64), *self._references])
        size = int(sizes[named[named < sizes.size]].sum())
        if size > _MOST_TEXT:
            raise UnreadableFileError("texts_too_large", self._name, size=size // 2**20)

    def _cell(self, letters: bytes, number: bytes, rest: bytes) -> None:
        if letters:
            self._column, self._row = _column(letters), int(number)
        else:
            self._column += 1
        if b"r" in rest:
            for other_letters, other_number in _PLACE.findall(rest):
                # never a lower place than a reader would take
                self._column = max(self._column, _column(other_letters))
                self._row = max(self._row, int(other_number))
        if not rest.endswith(b"/"):
            # an empty cell with only a colour takes no room
            self._last_row = max(self._last_row, self._row)
            self._last_column = max(self._last_column, self._column)

    def _strings(self, piece: bytes) -> None:
        start = 0
        for end in _STRING_END.finditer(piece):
            self._texts.append(self._text + end.start() - start)
            self._text, start = 0, end.end()
        self._text += len(piece) - start
        if numbers := _NUMBER.findall(piece):
            self._references.append(np.array(numbers, dtype=np.int64))


@cache
def _column(letters: bytes) -> int:
    """A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
