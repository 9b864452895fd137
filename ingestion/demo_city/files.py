"""Files in the shape of the demo's suppliers: the same input gives the same bytes."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

_FIXED_STAMP = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")

Cell = str | float | date | None


@dataclass(frozen=True, slots=True)
class Drop:
    """One file a supplier drops.

    Attributes:
        source: name of the contract it is for.
        supplied_at: the supplier's own time of the delivery (UTC), written in the `.ready` file.
    """

    source: str
    name: str
    content: bytes
    supplied_at: datetime


def write(drop: Drop, folder: Path) -> Path:
    """Writes the file, then its `.ready`: a reader that sees the second may trust the first."""
    target = folder / drop.source / drop.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(drop.content)
    ready = target.with_name(f"{target.name}.ready")
    ready.write_text(drop.supplied_at.isoformat().replace("+00:00", "Z") + "\n", encoding="utf-8")
    return target


def semicolon_lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows as a Belgian spreadsheet exports them: semicolons, CRLF, no quoting."""
    return "".join(";".join(row) + "\r\n" for row in rows)


def workbook(sheet: str, rows: Iterable[Sequence[Cell]]) -> bytes:
    """An XLSX with one sheet; dates are real date cells."""
    # a tenth of a second of import that only the demo pays
    from openpyxl import Workbook  # noqa: PLC0415

    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    written = io.BytesIO()
    book.save(written)
    return _without_clock(written.getvalue())


def _without_clock(xlsx: bytes) -> bytes:
    """The same workbook without the moment it was saved."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx)) as given, zipfile.ZipFile(fixed, "w") as kept:
        for name in given.namelist():
            content = _MODIFIED.sub(rb"\g<1>2026-11-22T20:00:00Z", given.read(name))
            kept.writestr(zipfile.ZipInfo(name, _FIXED_STAMP), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
