"""A table that a person keeps: CSV with `;` or `,`, or the first sheet of an XLSX that has its header.

All cells come out as text; what a decimal comma or a date means is left to the contract.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator

import fastexcel
import polars as pl

from contracts.vocabulary import LINE, Received
from ingestion.errors import UnreadableFileError
from ingestion.protocols.dropped_file import is_workbook, text_of

_SEPARATORS = (";", ",")
_MOST_BYTES = 200 * 1024 * 1024
_MOST_RATIO = 100
_MOST_ENTRIES = 1000

_Cells = list[str | None]
_Rows = list[tuple[int, _Cells]]


def read_table(original: bytes, name: str, received: Received) -> pl.DataFrame:
    """The rows below the first row that holds every required column name.

    Args:
        original: the file's bytes; what they are decides, not the ending of the name.
        name: for messages.
        received: whose columns are looked for, whatever their case and the blanks around them.

    Returns:
        Text columns under their own header names, and `line` (of the file or sheet). A row with too few or
        too many cells has only its line; a wholly empty row is no row.

    Raises:
        UnreadableFileError: not readable, a bomb, or a required column is missing.
    """
    candidates = _sheets(original, name) if is_workbook(original) else _texts(text_of(original, name))
    nearest: list[str] = []
    for rows in candidates:
        for position, (_, cells) in enumerate(rows):
            header = _names(cells)
            if set(received.required) <= set(header):
                return _frame(rows[position + 1 :], _distinct(cells, name, received))
            nearest = max(nearest, header, key=lambda found: len(set(found) & set(received.required)))
    missing = ", ".join(repr(column) for column in received.required if column not in nearest)
    # only names of the template are repeated: what else stands there may be a person
    known = ", ".join(name for name in received.columns if name in nearest) or "nothing"
    raise UnreadableFileError(
        f"{name}: no row holds the column {missing}; of the template only {known} was found. Restore its header row"
    )


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
        raise UnreadableFileError(f"{name}: the header names {', '.join(twice)} twice; keep one column of that name")
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


def _texts(text: str) -> Iterator[_Rows]:
    for separator in _SEPARATORS:
        yield [(line, cells) for line, cells in _parsed(text, separator) if any(_names(cells))]


def _parsed(text: str, separator: str) -> list[tuple[int, _Cells]]:
    try:
        return _records(text, separator)
    except csv.Error:
        # an open quotation mark would swallow the rest of the file: each line then stands alone
        return [(at, _record(line, separator)) for at, line in enumerate(text.splitlines(), 1)]


def _records(text: str, separator: str) -> list[tuple[int, _Cells]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
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


def _sheets(original: bytes, name: str) -> Iterator[_Rows]:
    _refuse_a_bomb(original, name)
    try:
        workbook = fastexcel.read_excel(original)
        for sheet_name in workbook.sheet_names:
            sheet = workbook.load_sheet(sheet_name, header_row=None, skip_rows=0, dtypes="string")
            numbered = enumerate(sheet.to_polars().iter_rows(), 1)
            yield [(line, list(cells)) for line, cells in numbered if any(_names(list(cells)))]
    except fastexcel.FastExcelError as broken:
        reason = re.sub(r"\s+", " ", str(broken))[:200]
        raise UnreadableFileError(f"{name}: the workbook cannot be read ({reason}); save it again as XLSX") from None


def _refuse_a_bomb(original: bytes, name: str) -> None:
    """Looks at the declared sizes before anything is unpacked."""
    try:
        entries = zipfile.ZipFile(io.BytesIO(original)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise UnreadableFileError(f"{name}: is a damaged workbook; save it again as XLSX") from None
    size, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if len(entries) > _MOST_ENTRIES or size > _MOST_BYTES or size > _MOST_RATIO * max(packed, 1):
        raise UnreadableFileError(
            f"{name}: unpacks to {size // 2**20} MB in {len(entries)} parts, {size // max(packed, 1)} times its size; "
            "not opened. Save only the table in a new workbook"
        )
