"""Files in the shape of the demo's suppliers: the same input gives the same bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingestion.protocols.spreadsheet import Cell, workbook_bytes

__all__ = ["Cell", "Drop", "semicolon_lines", "workbook", "write"]


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
    return workbook_bytes({sheet: rows})
