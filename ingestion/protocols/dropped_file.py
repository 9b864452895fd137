"""What every dropped file has in common, whatever its columns: its bytes, its encoding, its lines.

What unpacks is bounded here before anything else opens it: a few kilobytes may promise gigabytes.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

import numpy as np
import polars as pl

from ingestion.delivery import DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.inflating import GZIP_START, GZIP_WINDOW, RAW_WINDOW, BrokenPackingError, inflated, most_unpacked

_ZIP_START = b"PK\x03\x04"
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# the name of the part in which Office keeps a workbook with a password
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_ZIP_ENTRY = b"PK\x01\x02"
_CHUNK = 1024 * 1024
_MOST_FILES = 50
_MOST_PARTS = 1000
MOST_CELLS = 2_000_000
_MOST_TEXT = 256 * 1024 * 1024
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30
_WORKBOOK = "xl/workbook.xml"
_UTF_8 = (None, "utf-8", "utf8", "us-ascii", "ascii")
_UTF_16_STARTS = (b"\xff\xfe", b"\xfe\xff")
# where everyone writes the place of a cell, and the rest of the tag, whose values may hold a >
_CELL = re.compile(rb"""<(?:\w+:)?(?:(row)|c(?: r="([A-Z]{1,3})(\d{1,9})")?)(?=[\s/>])((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_PLACE = re.compile(rb"""\sr\s*=\s*["']\s*\$?([A-Za-z]{1,3})\$?(\d{1,9})""")
_STRING_END = re.compile(rb"</(?:\w+:)?si\s*>")
_NUMBER = re.compile(rb"<(?:\w+:)?v\b[^>]*>\s*(?:<!\[CDATA\[\s*)?(\d{1,9})")
# a year of quarter-hours of a hundred meters has seven million lines, of a hundred signs each
_MOST_LINES = 10_000_000
_LONGEST_LINE = 64 * 1024
_HTML_STARTS = ("<!doctype", "<html", "<?xml")


def original_bytes(file: DroppedFile) -> bytes:
    """The whole file.

    Raises:
        UnreadableFileError: it cannot be opened.
    """
    if file.content is not None:
        return file.content
    try:
        return file.path.read_bytes()
    except OSError as broken:
        raise UnreadableFileError("cannot_open", file.path.name, why=broken.strerror) from None


def is_workbook(original: bytes) -> bool:
    """Whether the bytes are a ZIP, which an XLSX is; the ending of a name proves nothing."""
    return original.startswith(_ZIP_START)


def unpacked(original: bytes, name: str) -> bytes | list[tuple[str, bytes]]:
    """What a file holds once it is unpacked: the content of a .gz, the files of a .zip, else itself.

    What the bytes are decides, not the ending of the name. A workbook, which is a ZIP too, stays whole.

    Returns:
        The bytes; for a .zip, of every file in it its name without folder and its bytes.

    Raises:
        UnreadableFileError: damaged, encrypted, an archive in an archive, or more than 50 files, 200 MB, or
            100 times its size.
    """
    allowance = _Allowance(name, len(original))
    if original.startswith(GZIP_START):
        return _no_archive(b"".join(_inflated(original, GZIP_WINDOW, allowance)), name)
    if not is_workbook(original):
        return original
    entries = [entry for entry in _entries(original, name) if not entry.is_dir()]
    if any(entry.filename == _WORKBOOK for entry in entries):
        return original
    if len(entries) > _MOST_FILES:
        raise UnreadableFileError("too_many_files", name, count=len(entries), most=_MOST_FILES)
    return [_file_in(original, entry, allowance) for entry in entries]


def require_sane_workbook(original: bytes, name: str) -> None:
    """Refuses a workbook that would cost more than any table is worth, before a reader opens it.

    Raises:
        UnreadableFileError: damaged, no XLSX, encrypted, XML that is not plain, over 1000 parts, unpacking to
            more than 200 MB or 100 times its size, or a sheet of more than 2 000 000 cells.
    """
    entries = _entries(original, name)
    _require_modest_promise(entries, name)
    if _WORKBOOK not in {entry.filename for entry in entries}:
        raise UnreadableFileError("no_workbook", name, part=_WORKBOOK)
    allowance = _Allowance(name, len(original))
    census = _Census(name)
    for entry in entries:
        for piece in _pieces(_content(original, entry, allowance), name):
            census.count(piece)
        census.end_of_part()
    census.require_modest_text()


@dataclass(slots=True)
class _Allowance:
    """How much may still be unpacked of one file."""

    name: str
    packed: int
    taken: int = 0

    def take(self, size: int) -> None:
        self.taken += size
        most = most_unpacked(self.packed)
        if self.taken > most:
            raise UnreadableFileError("too_large_unpacked", self.name, most=most // 2**20)

    def damaged(self, why: str) -> NoReturn:
        raise UnreadableFileError("damaged", self.name, why=why)


def _entries(original: bytes, name: str) -> list[zipfile.ZipInfo]:
    """What the directory of a ZIP promises."""
    parts = original.count(_ZIP_ENTRY)
    if parts > _MOST_PARTS:
        raise UnreadableFileError("too_many_parts", name, parts=parts)
    try:
        with zipfile.ZipFile(io.BytesIO(original)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        entries = []
    if not entries:
        raise UnreadableFileError("damaged_archive", name)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnreadableFileError("locked", name)
    return entries


def _require_modest_promise(entries: list[zipfile.ZipInfo], name: str) -> None:
    size, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if size > most_unpacked(packed):
        raise UnreadableFileError("bomb", name, size=size // 2**20, parts=len(entries), times=size // max(packed, 1))


def _file_in(original: bytes, entry: zipfile.ZipInfo, allowance: _Allowance) -> tuple[str, bytes]:
    own_name = PurePosixPath(entry.filename.replace("\\", "/")).name
    return own_name, _no_archive(b"".join(_content(original, entry, allowance)), f"{allowance.name}: {own_name}")


def _no_archive(content: bytes, name: str) -> bytes:
    is_archive = content.startswith(GZIP_START) or (
        is_workbook(content) and _WORKBOOK not in {entry.filename for entry in _entries(content, name)}
    )
    if is_archive:
        raise UnreadableFileError("nested_archive", name)
    return content


def _content(original: bytes, entry: zipfile.ZipInfo, allowance: _Allowance) -> Iterator[bytes]:
    """The bytes of an entry as they really are: readers differ in how far they believe its declared size."""
    head = original[entry.header_offset : entry.header_offset + _LOCAL_HEADER]
    if len(head) < _LOCAL_HEADER or not head.startswith(_ZIP_START):
        allowance.damaged("an entry has no header")
    start = entry.header_offset + _LOCAL_HEADER
    start += int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = original[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        allowance.take(len(packed))
        chunks: Iterator[bytes] = iter([packed])
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        chunks = _inflated(packed, RAW_WINDOW, allowance)
    else:
        raise UnreadableFileError("unknown_packing", allowance.name)
    size = crc = 0
    for chunk in chunks:
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        yield chunk
    if size != entry.file_size or crc != entry.CRC:
        allowance.damaged("an entry is not what it promises")


def _inflated(packed: bytes, window: int, allowance: _Allowance) -> Iterator[bytes]:
    try:
        yield from inflated(packed, window, allowance.take)
    except BrokenPackingError as broken:
        allowance.damaged(str(broken))


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


def text_of(original: bytes, name: str) -> str:
    """The text of a CSV file: UTF-8 with or without a byte-order mark, else Windows-1252.

    Raises:
        UnreadableFileError: it is empty, HTML, a workbook or no text at all.
    """
    if is_workbook(original):
        raise UnreadableFileError("workbook_as_csv", name)
    if original.startswith(_OLE_START):
        raise UnreadableFileError("locked" if _LOCKED in original else "before_2007", name)
    if b"\0" in original:
        line = original[: original.index(b"\0")].count(b"\n") + 1
        raise UnreadableFileError("binary", name, line=line)
    text = _decoded(original, name)
    if not text.strip():
        raise UnreadableFileError("empty", name)
    if text.lstrip()[:9].casefold().startswith(_HTML_STARTS):
        raise UnreadableFileError("web_page", name)
    return text


def _decoded(original: bytes, name: str) -> str:
    try:
        return original.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = original[: broken.start].count(b"\n") + 1
    try:
        return original.decode("cp1252")
    except UnicodeDecodeError:
        raise UnreadableFileError("encoding", name, line=line) from None


def lines_of(text: str, name: str) -> pl.Series:
    """Every physical line without its line end, of Windows, Unix or an old Mac; the first is line 1.

    Raises:
        UnreadableFileError: more lines, or a longer one, than any export has.
    """
    lines = text if "\n" in text else text.replace("\r", "\n")
    if lines.count("\n") > _MOST_LINES:
        raise UnreadableFileError("too_many_lines", name, most=_MOST_LINES)
    found = pl.read_lines(io.BytesIO(lines.encode())).to_series().str.strip_chars_end("\r")
    longest = found.str.len_bytes().arg_max()
    if longest is not None and len(found[longest].encode()) > _LONGEST_LINE:
        raise UnreadableFileError("line_too_long", name, line=longest + 1, most=_LONGEST_LINE)
    return found
