"""Cells of a workbook that hold no value: an error, or a formula that was never calculated.

The reader of workbooks gives both as empty, and an embargo or a day of sale is gone. Here they become the text that the
same file holds as CSV, so that the gate refuses the row in the same words.

Belongs here: rewriting such cells in a workbook that was found sane. Does not belong here: what is said of them.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping

from ingestion.errors import UnreadableFileError

_ERROR = re.compile(rb"""(<(?:\w+:)?c(?=\s)[^<>]*?\st\s*=\s*)(["'])e\2""")
_UNCALCULATED = re.compile(
    rb"""<((?:\w+:)?)c(?=\s)([^<>]*)>\s*"""
    rb"""(?:<(?:\w+:)?f\b[^<>]*/>|<(?:\w+:)?f\b[^<>]*>[^<]*</(?:\w+:)?f\s*>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v\s*>)?\s*</(?:\w+:)?c\s*>"""
)
_TYPE = re.compile(rb"""\st\s*=\s*["'](\w*)["']""")


def with_errors_as_text(original: bytes, name: str) -> bytes:
    """The workbook with `#REF!` for the cell that holds that error, and `=` for a formula without an outcome.

    Args:
        original: a workbook that `require_sane_workbook` let pass.
        name: for messages.

    Raises:
        UnreadableFileError: it is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(original)) as given:
            entries = [entry for entry in given.infolist() if not entry.is_dir()]
            # one part at a time: together they may be large
            rewritten = {entry.filename: sheet for entry in entries if (sheet := _changed(given.read(entry)))}
            return _with(rewritten, given, entries) if rewritten else original
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError):
        raise UnreadableFileError("damaged_archive", name) from None


def _with(rewritten: Mapping[str, bytes], given: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo]) -> bytes:
    """The workbook with some of its parts replaced."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as kept:
        for entry in entries:
            kept.writestr(entry.filename, rewritten.get(entry.filename) or given.read(entry))
    return written.getvalue()


def _changed(part: bytes) -> bytes | None:
    """A part with its errors as text; None where it has none, or is no sheet."""
    if b"sheetData" not in part:
        return None
    changed = _UNCALCULATED.sub(_marked, _ERROR.sub(rb"\g<1>\g<2>str\g<2>", part))
    return None if changed == part else changed


def _marked(cell: re.Match[bytes]) -> bytes:
    prefix, attributes = cell[1], cell[2]
    said = _TYPE.search(attributes)
    # the formula was calculated, and its outcome is an empty text
    if said is not None and said[1] == b"str":
        return cell[0]
    # not the formula itself: it may name a sheet, and a sheet a person
    untyped = _TYPE.sub(b"", attributes)
    return b'<%bc%b t="str"><%bv>=</%bv></%bc>' % (prefix, untyped, prefix, prefix, prefix)
