"""The registry as a workbook: one sheet for each seed, with a list to choose from where the choice is closed."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.errors import UnreadableFileError
from ingestion.protocols.workbook_census import require_sane_workbook
from orchestration.registry.seeds import FIXED_COLUMNS, READ_ONLY, Column, Registry, RegistryError, Row, Table

_HEADER = PatternFill("solid", fgColor="DDE6ED")
_FIXED = PatternFill("solid", fgColor="EEEEEE")
_WIDEST = 60
# rows below the last one that get the same lists, for what a person adds
_ROOM = 200


def write_workbook(registry: Registry, path: Path) -> None:
    """Writes every seed as a sheet: numbers as numbers, dates as dates, codes as text.

    Raises:
        OSError: the file cannot be written.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for table in registry.values():
        _fill(book.create_sheet(table.name), table)
    for table in registry.values():
        _offer_choices(book[table.name], table, registry)
    book.save(path)


def read_workbook(path: Path, registry: Registry) -> dict[str, Table]:
    """The seeds as an edited workbook holds them.

    Args:
        path: a workbook that `write_workbook` made; sheets that were removed from it stay as they are.
        registry: the registry of today, for the columns and for those sheets.

    Raises:
        RegistryError: no workbook, an unknown sheet or column, or a cell with a formula or an error.
    """
    book = _open(path)
    unknown = [name for name in book.sheetnames if name not in registry]
    if unknown:
        raise RegistryError(f"{path.name}: the sheet {', '.join(unknown)} is no seed of the registry; remove it")
    edited = {name: _read_sheet(book[name], registry[name], path.name) for name in book.sheetnames}
    return {name: edited.get(name, table) for name, table in registry.items()}


def _fill(sheet: Worksheet, table: Table) -> None:
    for place, column in enumerate(table.columns, 1):
        head = sheet.cell(1, place, column.name)
        head.font, head.fill = Font(bold=True), _HEADER
        texts = [row[column.name] for row in table.rows]
        longest = max(map(len, [column.name, *texts]))
        sheet.column_dimensions[get_column_letter(place)].width = min(longest + 3, _WIDEST)
        grey = table.name in READ_ONLY or column.name in FIXED_COLUMNS
        for line, text in enumerate(texts, 2):
            _write(sheet.cell(line, place), column, text, grey=grey)
    sheet.freeze_panes = "B2"


def _write(cell: Cell | MergedCell, column: Column, text: str, *, grey: bool) -> None:
    value = column.value(text)
    if isinstance(value, str):
        # a text that begins with = stays a text
        cell.value, cell.data_type, cell.number_format = value, "s", "@"
    else:
        cell.value = value
    if isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    if grey:
        cell.fill = _FIXED


def _offer_choices(sheet: Worksheet, table: Table, registry: Registry) -> None:
    for place, column in enumerate(table.columns, 1):
        source = _choices(column, registry)
        if source is None:
            continue
        letter = get_column_letter(place)
        offered = DataValidation(type="list", formula1=source, allow_blank=not column.required)
        offered.add(f"{letter}2:{letter}{len(table.rows) + 1 + _ROOM}")
        sheet.add_data_validation(offered)


def _choices(column: Column, registry: Registry) -> str | None:
    if column.choices:
        return f'"{",".join(column.choices)}"'
    if column.refers_to is None:
        return None
    seed, name = column.refers_to
    letter = get_column_letter(registry[seed].header.index(name) + 1)
    return f"{seed}!${letter}$2:${letter}${len(registry[seed].rows) + 1 + _ROOM}"


def _open(path: Path) -> Workbook:
    try:
        original = path.read_bytes()
        require_sane_workbook(original, path.name)
        return load_workbook(io.BytesIO(original))
    except OSError as broken:
        raise RegistryError(f"{path.name}: cannot be opened ({broken.strerror}); give the path of a workbook") from None
    except UnreadableFileError as broken:
        raise RegistryError(str(broken)) from None
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError):
        raise RegistryError(f"{path.name}: is no readable workbook; save it again as XLSX") from None


def _read_sheet(sheet: Worksheet, table: Table, book: str) -> Table:
    lines = sheet.iter_rows()
    header = [str(cell.value or "").strip() for cell in next(lines, ())]
    while header and not header[-1]:
        header.pop()
    if sorted(header) != sorted(table.header):
        wrong = sorted({*header} ^ {*table.header}) or header
        raise RegistryError(f"{book} sheet {sheet.title}: the columns differ ({', '.join(wrong)}); keep those exported")
    return replace(table, rows=tuple(_rows(lines, header, table, book)))


def _rows(lines: Iterator[tuple[Cell | MergedCell, ...]], header: list[str], table: Table, book: str) -> Iterator[Row]:
    for cells in lines:
        texts = [_text(cell, table.name, book) for cell in cells]
        if any(texts[len(header) :]):
            place = f"{book} sheet {table.name} line {cells[0].row}"
            raise RegistryError(f"{place}: a cell stands outside the table; remove it or move it into a column")
        if any(texts):
            found = dict(zip(header, texts, strict=False))
            yield {column.name: found.get(column.name, "") for column in table.columns}


def _text(cell: Cell | MergedCell, seed: str, book: str) -> str:
    if cell.data_type in ("f", "e"):
        what = "a formula" if cell.data_type == "f" else f"the error {cell.value}"
        raise RegistryError(f"{book} sheet {seed} cell {cell.coordinate}: holds {what}; write the value itself")
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return str(value).strip()
