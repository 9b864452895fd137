"""What every dropped file has in common, whatever its columns: its bytes, its encoding, its lines."""

import codecs
import io
import re
from collections.abc import Iterator

import polars as pl

from ingestion.delivery import DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.protocols.archive import is_workbook

_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# the name of the part in which Office keeps a workbook with a password
_LOCKED = "EncryptedPackage".encode("utf-16-le")
# a year of quarter-hours of a hundred meters has seven million lines, of a hundred signs each
_MOST_LINES = 10_000_000
_LONGEST_LINE = 64 * 1024
_HTML_START = re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE)
_PIECE = 1024 * 1024


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


def text_of(original: bytes, name: str) -> bytes:
    """The text of a CSV file, as UTF-8 without a byte-order mark, whatever it is written in.

    It stays bytes: as one text of Python a single emoji would make it four times as large.

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
    text = _in_utf_8(original.removeprefix(codecs.BOM_UTF8), name)
    if not any(piece.decode(errors="ignore").strip() for piece in _pieces(text)):
        raise UnreadableFileError("empty", name)
    if _HTML_START.match(text):
        raise UnreadableFileError("web_page", name)
    return text


def _in_utf_8(text: bytes, name: str) -> bytes:
    broken = _not_utf_8(text)
    if broken is None:
        return text
    try:
        return b"".join(piece.decode("cp1252").encode() for piece in _pieces(text))
    except UnicodeDecodeError:
        line = text[:broken].count(b"\n") + 1
        raise UnreadableFileError("encoding", name, line=line) from None


def _not_utf_8(text: bytes) -> int | None:
    """About where a text is no UTF-8; None where it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    for piece in (*_pieces(text), b""):
        try:
            decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as broken:
            # what it kept of the piece before counts as the start of this one
            return max(read + broken.start - len(decoder.getstate()[0]), 0)
        read += len(piece)
    return None


def _pieces(text: bytes) -> Iterator[bytes]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def lines_of(text: bytes, name: str) -> pl.Series:
    """Every physical line without its line end, of Windows, Unix or an old Mac; the first is line 1.

    Raises:
        UnreadableFileError: more lines, or a longer one, than any export has.
    """
    lines = text if b"\n" in text else text.replace(b"\r", b"\n")
    if lines.count(b"\n") > _MOST_LINES:
        raise UnreadableFileError("too_many_lines", name, most=_MOST_LINES)
    require_short_lines(lines, name, _LONGEST_LINE)
    return pl.read_lines(io.BytesIO(lines)).to_series().str.strip_chars_end("\r")


def require_short_lines(text: bytes, name: str, most: int) -> None:
    """Refuses a text with a longer line, before anything holds that line twice.

    Raises:
        UnreadableFileError: one is longer.
    """
    start = 0
    while len(text) - start > most:
        end = max(text.rfind(sign, start, start + most + 1) for sign in (b"\n", b"\r"))
        if end < 0:
            line = text.count(b"\n", 0, start) + 1
            raise UnreadableFileError("line_too_long", name, line=line, most=most)
        start = end + 1
