"""What every dropped file has in common, whatever its columns: its bytes, its encoding, its lines."""

import io

import polars as pl

from ingestion.delivery import DroppedFile
from ingestion.errors import UnreadableFileError

_ZIP_START = b"PK\x03\x04"
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
        raise UnreadableFileError(f"{file.path.name}: cannot be opened ({broken.strerror}); drop it again") from None


def is_workbook(original: bytes) -> bool:
    """Whether the bytes are a ZIP, which an XLSX is; the ending of a name proves nothing."""
    return original.startswith(_ZIP_START)


def text_of(original: bytes, name: str) -> str:
    """The text of a CSV file: UTF-8 with or without a byte-order mark, else Windows-1252.

    Raises:
        UnreadableFileError: it is empty, HTML, a workbook or no text at all.
    """
    if is_workbook(original):
        raise UnreadableFileError(f"{name}: is an Excel workbook, not a CSV file; export it as CSV")
    if b"\0" in original:
        line = original[: original.index(b"\0")].count(b"\n") + 1
        raise UnreadableFileError(f"{name}: line {line} holds binary data; save it as CSV (UTF-8)")
    text = _decoded(original, name)
    if not text.strip():
        raise UnreadableFileError(f"{name}: is empty; export it again")
    if text.lstrip()[:9].casefold().startswith(_HTML_STARTS):
        raise UnreadableFileError(f"{name}: is a web page, not data (often a login page); export it again")
    return text


def _decoded(original: bytes, name: str) -> str:
    try:
        return original.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = original[: broken.start].count(b"\n") + 1
    try:
        return original.decode("cp1252")
    except UnicodeDecodeError:
        raise UnreadableFileError(
            f"{name}: line {line} is neither UTF-8 nor Windows-1252 text; save it as CSV (UTF-8)"
        ) from None


def lines_of(text: str) -> pl.Series:
    """Every physical line without its line end; the first is line 1."""
    return pl.read_lines(io.BytesIO(text.encode())).to_series().str.strip_chars_end("\r")
