"""A table that a person keeps: CSV with `;` or `,`, or the sheet of an XLSX that has its header.

No sheet is passed over in silence: one that is no table is counted, and two of one table are refused, for a line
number says nothing of the sheet it stands on.

All cells come out as text; what a decimal comma or a date means is left to the contract. The empty table that a
person fills in is written here too, so that what is handed out is what can be read back.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import fastexcel
import polars as pl

from contracts.vocabulary import LINE, Received
from ingestion.errors import UnreadableFileError
from ingestion.protocols.archive import is_workbook
from ingestion.protocols.dropped_file import require_short_lines, text_of
from ingestion.protocols.workbook_census import MOST_CELLS, require_sane_workbook
from ingestion.protocols.workbook_errors import with_errors_as_text

_SEPARATORS = (";", ",")
# a table that a person keeps; its cells take up to four times as much
_MOST_TEXT = 100 * 1024 * 1024
_LONGEST_LINE = 1024 * 1024
_TOTAL = re.compile(r"(sub|eind)?totaal\b|totalen\b|(sub|grand )?total\b|som\b", re.IGNORECASE)
_SAVED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_NOBODY = re.compile(r"(blad|sheet|tabel|table)?[\d .-]*", re.IGNORECASE)
_FIXED_STAMP = (1980, 1, 1, 0, 0, 0)

Cell = str | float | date | None

_Cells = list[str | None]
_Rows = list[tuple[int, _Cells]]


def read_table(original: bytes, name: str, received: Received) -> pl.DataFrame:
    """The rows below the header of one table.

    Args:
        original: the file's bytes; what they are decides, not the ending of the name.
        name: for messages.
        received: whose columns are looked for, whatever their case and the blanks around them.

    Returns:
        Text columns under their own header names, and `line` (of the file or sheet). A row with too few or
        too many cells has only its line. A wholly empty row, a repeated header and a closing row of totals are
        no rows.

    Raises:
        UnreadableFileError: not readable, a bomb, or a required column is missing.
    """
    return read_tables(original, name, {"": received})[""]


def read_tables(original: bytes, name: str, wanted: Mapping[str, Received]) -> dict[str, pl.DataFrame]:
    """The tables of `read_book`."""
    return read_book(original, name, wanted).tables


@dataclass(frozen=True, slots=True)
class Book:
    """What a file holds.

    Attributes:
        tables: those of which it has the header; see `read_table`.
        unread: for every other sheet, in Dutch, why it is not read, and how many rows it has.
    """

    tables: dict[str, pl.DataFrame]
    unread: dict[str, int]


def read_book(original: bytes, name: str, wanted: Mapping[str, Received]) -> Book:
    """The tables of which the file has the header, and what else it holds.

    Args:
        original: the file's bytes.
        name: for messages.
        wanted: what is looked for, by a name of the caller's choice; each may stand on a sheet of its own.

    Raises:
        UnreadableFileError: not readable, a bomb, no header of any of them, rows of one table on two sheets, or a
            sheet that lacks one column of a header only.
    """
    if is_workbook(original):
        return _book(_sheets(original, name), name, wanted)
    nearest = _Nearest()
    for rows in _texts(text_of(original, name), name):
        if found := _tables(rows, name, wanted, nearest):
            return Book(found, {})
    raise nearest.refusal(name)


def _book(sheets: Iterable[tuple[str, _Rows]], name: str, wanted: Mapping[str, Received]) -> Book:
    found: dict[str, tuple[str, pl.DataFrame]] = {}
    others: dict[str, tuple[_Nearest, int]] = {}
    for place, rows in sheets:
        nearest = _Nearest()
        tables = _tables(rows, f"{name}: sheet {place}", wanted, nearest)
        if not tables:
            others[place] = nearest, len(rows)
        for key, table in tables.items():
            found[key] = _one_of(found.get(key), (place, table), name)
    if not found and not others:
        raise UnreadableFileError("empty_template", name)
    if not found:
        raise max((nearest for nearest, _ in others.values()), key=_Nearest.score).refusal(name)
    for place, (nearest, _) in others.items():
        # a heading with a slip in it, and rows below that somebody meant to send
        if nearest.lacks_one():
            raise nearest.refusal(f"{name}: sheet {place}")
    unread = {f"blad {place} heeft niet de kolommen van het sjabloon": rows for place, (_, rows) in others.items()}
    return Book({key: table for key, (_, table) in found.items()}, unread)


def _tables(rows: _Rows, name: str, wanted: Mapping[str, Received], nearest: "_Nearest") -> dict[str, pl.DataFrame]:
    """The tables of one sheet; of two headers the more demanding, for a log may repeat what it is about."""
    found = {
        key: table
        for key, received in wanted.items()
        if (table := _below_header(rows, name, received, nearest)) is not None
    }
    most = max((len(wanted[key].required) for key in found), default=0)
    return {key: table for key, table in found.items() if len(wanted[key].required) == most}


def _one_of(
    before: tuple[str, pl.DataFrame] | None, now: tuple[str, pl.DataFrame], name: str
) -> tuple[str, pl.DataFrame]:
    """The sheet of a table that has rows.

    Raises:
        UnreadableFileError: both have.
    """
    if before is None or before[1].is_empty():
        return now
    if now[1].is_empty():
        return before
    raise UnreadableFileError("two_sheets", name, first=before[0], second=now[0])


class _Nearest:
    """The row that came nearest to being a header, for the message when there is none."""

    def __init__(self) -> None:
        self._score = -1
        self._received = Received((), ())
        self._header: list[str] = []

    def see(self, header: list[str], received: Received) -> None:
        score = len(set(header) & set(received.required))
        if score > self._score:
            self._score, self._header, self._received = score, header, received

    def score(self) -> int:
        return self._score

    def lacks_one(self) -> bool:
        """Whether only one column is missing, of more than two."""
        return self._score > 1 and self._score == len(set(self._received.required)) - 1

    def refusal(self, name: str) -> UnreadableFileError:
        missing = ", ".join(repr(column) for column in self._received.required if column not in self._header)
        # only names of the template are repeated: what else stands there may be a person
        known = ", ".join(name for name in self._received.columns if name in self._header) or "nothing"
        return UnreadableFileError("no_header", name, missing=missing, known=known)


def _below_header(rows: _Rows, name: str, received: Received, nearest: _Nearest) -> pl.DataFrame | None:
    for position, (_, cells) in enumerate(rows):
        header = _names(cells)
        nearest.see(header, received)
        if set(received.required) <= set(header):
            return _frame(_body(rows[position + 1 :], header), _distinct(cells, name, received))
        if position + 1 < len(rows):
            both = _under_merged(cells, rows[position + 1][1])
            if set(received.required) <= set(_names(both)):
                return _frame(_body(rows[position + 2 :], _names(both)), _distinct(both, name, received))
    return None


def _under_merged(upper: _Cells, lower: _Cells) -> _Cells:
    """One header of two rows: a cell merged over columns has its names below it, one merged over rows has none."""
    width = max(len(upper), len(lower))
    above, below = ([*cells, *[None] * (width - len(cells))] for cells in (upper, lower))
    return [under if (under or "").strip() else over for over, under in zip(above, below, strict=True)]


def _body(rows: _Rows, header: list[str]) -> _Rows:
    """The rows without a header pasted in again, and without the totals at the end."""
    body = [(line, cells) for line, cells in rows if _names(cells)[: len(header)] != header]
    while body and _is_total(body[-1][1], len(header)):
        body.pop()
    return body


def _is_total(cells: _Cells, width: int) -> bool:
    """Whether a row only adds up: it says so in its first words, and leaves most of its cells empty."""
    said = [cell for cell in _names(cells) if cell]
    return bool(said) and _TOTAL.match(said[0]) is not None and len(said) * 2 <= max(width, 2)


def write_template(received: Received | Mapping[str, Received], path: Path) -> None:
    """Writes the empty table that a supplier fills in, as its ending says: CSV or XLSX.

    Args:
        received: the table; or several by the name of their sheet, which a CSV cannot hold.
        path: the file to write; the same contract gives the same bytes.

    Raises:
        ValueError: a CSV was asked of several tables, or the ending is another.
    """
    sheets = {"Blad1": received} if isinstance(received, Received) else received
    headers = {sheet: [template_columns(table)] for sheet, table in sheets.items()}
    if path.suffix == ".xlsx":
        path.write_bytes(workbook_bytes(headers))
    elif path.suffix == ".csv" and len(headers) == 1:
        ((header,),) = headers.values()
        path.write_bytes(f"\ufeff{_SEPARATORS[0].join(header)}\r\n".encode())
    else:
        raise ValueError(f"{path.name}: a template of {len(headers)} tables cannot be written as {path.suffix}")


def template_columns(received: Received) -> list[str]:
    """The columns that a supplier fills in, in order; those that the reader adds are not among them."""
    return [column for column in received.columns if column not in received.added]


def workbook_bytes(sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> bytes:
    """An XLSX with these sheets; dates are real date cells, and the same rows give the same bytes."""
    # a tenth of a second of import that only writing pays
    from openpyxl import Workbook  # noqa: PLC0415

    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
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
            content = _SAVED.sub(rb"\g<1>2026-11-22T20:00:00Z", given.read(name))
            kept.writestr(zipfile.ZipInfo(name, _FIXED_STAMP), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def _names(cells: _Cells) -> list[str]:
    return [(cell or "").strip().casefold() for cell in cells]


def _distinct(cells: _Cells, name: str, received: Received) -> list[str]:
    """A name of its own for every column: ours as the contract writes it, others as the file does.

    Raises:
        UnreadableFileError: a column we read stands twice, so that either could be meant.
    """
    header = _names(cells)
    twice = [column for column in received.columns if header.count(column) > 1]
    if twice:
        raise UnreadableFileError("header_twice", name, twice=", ".join(twice))
    columns: list[str] = []
    for column, cell in zip(header, cells, strict=True):
        own = column if column in received.columns else (cell or "").strip()
        taken = own in ("", LINE, *columns)
        columns.append(f"{own or 'column'} ({len(columns) + 1})" if taken else own)
    return columns


def _frame(rows: _Rows, columns: list[str]) -> pl.DataFrame:
    cells = [(line, *_fitted(found, len(columns))) for line, found in rows]
    schema: dict[str, type[pl.DataType]] = {LINE: pl.Int64, **dict.fromkeys(columns, pl.String)}
    return pl.DataFrame(cells, schema=schema, orient="row")


def _fitted(cells: _Cells, width: int) -> _Cells:
    """A shifted cell would be read as another column, so nothing of such a row is guessed."""
    fits = len(cells) == width or (len(cells) > width and not any(_names(cells[width:])))
    return cells[:width] if fits else [None] * width


def _texts(text: bytes, name: str) -> Iterator[_Rows]:
    if len(text) > _MOST_TEXT:
        raise UnreadableFileError("too_large", name, size=len(text) // 2**20, most=_MOST_TEXT // 2**20)
    require_short_lines(text, name, _LONGEST_LINE)
    lines = max(text.count(b"\n"), text.count(b"\r"))
    for separator in _SEPARATORS:
        # a cell costs a hundred bytes, also an empty one
        if lines + text.count(separator.encode()) > MOST_CELLS:
            raise UnreadableFileError("too_many_cells", name, most=MOST_CELLS)
        yield [(line, cells) for line, cells in _parsed(text, separator) if any(_names(cells))]


def _parsed(text: bytes, separator: str) -> list[tuple[int, _Cells]]:
    try:
        return _records(text, separator)
    except csv.Error:
        # an open quotation mark would swallow the rest of the file: each line then stands alone
        return [(at, _record(line, separator)) for at, line in enumerate(_lines(text), 1)]


def _lines(text: bytes) -> Iterator[str]:
    """The lines with their ends, of Windows, Unix or an old Mac, one at a time."""
    return (part.decode() for line in io.BytesIO(text) for part in line.splitlines(keepends=True))


def _records(text: bytes, separator: str) -> list[tuple[int, _Cells]]:
    reader = csv.reader(_lines(text), delimiter=separator, strict=True)
    records: list[tuple[int, _Cells]] = []
    before = 0
    for record in reader:
        records.append((before + 1, list(record)))
        before = reader.line_num
    return records


def _record(line: str, separator: str) -> _Cells:
    try:
        return list(next(csv.reader([line], delimiter=separator, strict=True), []))
    except csv.Error:
        # one cell too few for any table: the row stays, without content
        return ["?"]


def _sheets(original: bytes, name: str) -> Iterator[tuple[str, _Rows]]:
    for place, cells in sheets_of(original, name):
        numbered = ((line, list(row)) for line, row in enumerate(cells.iter_rows(), 1))
        yield place, [(line, row) for line, row in numbered if any(_names(row))]


def sheets_of(original: bytes, name: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Where each sheet of a workbook that is not empty stands, for messages, and its cells as text from row 1 on.

    Raises:
        UnreadableFileError: no workbook, or a bomb.
    """
    require_sane_workbook(original, name)
    try:
        workbook = fastexcel.read_excel(with_errors_as_text(original, name))
        for number, sheet_name in enumerate(workbook.sheet_names, 1):
            cells = workbook.load_sheet(sheet_name, header_row=None, skip_rows=0, dtypes="string").to_polars()
            if any((column.str.strip_chars() != "").any() for column in cells.get_columns()):
                yield f"{number}{_shown(sheet_name)}", cells
    except fastexcel.FastExcelError as broken:
        # what a library quotes may be the name of a sheet
        raise UnreadableFileError("unreadable_workbook", name, why=type(broken).__name__) from None


def _shown(sheet_name: str) -> str:
    """A year or the name that Excel gives; any other may be that of a person."""
    return f" ({sheet_name})" if _NOBODY.fullmatch(sheet_name) else ""
