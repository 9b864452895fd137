"""What every dropped file has in common, whatever its columns: its bytes, its encoding, its lines."""

import io

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
