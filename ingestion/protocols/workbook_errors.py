"""Cells of a workbook that hold no value: an error, or a formula that was never calculated.

The reader of workbooks gives both as empty, and an embargo or a day of sale is gone. Here they become the text that the
same file holds as CSV, so that the gate refuses the row in the same words.

Belongs here: rewriting such cells in a workbook that was found sane. Does not belong here: what is said of them.
"""

import io
import re
import zipfile

_ERROR = re.compile(rb"""(<(?:\w+:)?c(?=\s)[^<>]*?\st\s*=\s*)(["'])e\2""")
_UNCALCULATED = re.compile(
    rb"""<((?:\w+:)?)c(?=\s)([^<>]*)>\s*"""
    rb"""(?:<(?:\w+:)?f\b[^<>]*/>|<(?:\w+:)?f\b[^<>]*>[^<]*</(?:\w+:)?f\s*>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v\s*>)?\s*</(?:\w+:)?c\s*>"""
)
_TYPE = re.compile(rb"""\st\s*=\s*["'](\w*)["']""")


def with_errors_as_text(original: bytes) -> bytes:
    """The workbook with `#REF!` for the cell that holds that error, and `=` for a formula without an outcome.

    Args:
        original: a workbook that `require_sane_workbook` let pass.
    """
    with zipfile.ZipFile(io.BytesIO(original)) as given:
        parts = {entry.filename: given.read(entry) for entry in given.infolist() if not entry.is_dir()}
    changed = {name: _rewritten(part) for name, part in parts.items() if b"sheetData" in part}
    if all(parts[name] == part for name, part in changed.items()):
        return original
    rewritten = io.BytesIO()
    with zipfile.ZipFile(rewritten, "w") as kept:
        for name, part in (parts | changed).items():
            kept.writestr(name, part)
    return rewritten.getvalue()


def _rewritten(sheet: bytes) -> bytes:
    return _UNCALCULATED.sub(_marked, _ERROR.sub(rb"\g<1>\g<2>str\g<2>", sheet))


def _marked(cell: re.Match[bytes]) -> bytes:
    prefix, attributes = cell[1], cell[2]
    said = _TYPE.search(attributes)
    # the formula was calculated, and its outcome is an empty text
    if said is not None and said[1] == b"str":
        return cell[0]
    # not the formula itself: it may name a sheet, and a sheet a person
    untyped = _TYPE.sub(b"", attributes)
    return b'<%bc%b t="str"><%bv>=</%bv></%bc>' % (prefix, untyped, prefix, prefix, prefix)
