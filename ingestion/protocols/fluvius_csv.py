"""The Mijn Fluvius export: `;`, no quoting, EAN as `="…"`, Dutch and English header dialects.

Columns are found by name, never by place, and the file's name proves nothing: its period is the one that
was asked for, not the one inside. It comes as CSV, as .csv.gz, several in a .zip, or as a workbook, each sheet an
export, in which every row is one cell holding the same `;` line.
"""

import re
from collections.abc import Iterable

import polars as pl

from contracts.sources.energy_meters import READINGS
from contracts.vocabulary import LINE
from ingestion.door import name_to_show
from ingestion.errors import UnreadableFileError
from ingestion.protocols.archive import is_workbook, unpacked
from ingestion.protocols.dropped_file import lines_of, text_of
from ingestion.protocols.spreadsheet import sheets_of

_SEPARATOR = ";"
_CALORIFIC = "gcv_state"
# the first alias is how the present Dutch export writes it
_DIALECTS = {
    "from_date": ("van (datum)", "van datum", "from (date)"),
    "from_time": ("van (tijdstip)", "van tijdstip", "from (time)"),
    "to_date": ("tot (datum)", "tot datum", "until (date)"),
    "to_time": ("tot (tijdstip)", "tot tijdstip", "until (time)"),
    "ean": ("ean-code", "ean", "ean code"),
    "sub_ean": (
        "submeter",
        "sub-ean",
        "sub ean",
        "submeting",
        "ean-code submeter",
        "ean submeter",
        "ean code submeter",
    ),
    "meter": ("meter",),
    "register": ("register",),
    "volume": ("volume",),
    "unit": ("eenheid", "unit"),
    "status": ("validatiestatus", "validation status"),
    _CALORIFIC: ("calorische bovenwaarde", "caloric upper value"),
}
_SOURCE = "fluvius_csv"
# a line with which a spreadsheet is told how the rest is separated
_NAMES_SEPARATOR = re.compile(r'\s*"?sep=.?"?\s*', re.IGNORECASE)
_LINES_AT_ONCE = 50_000
_CUBIC_METRES = ("m³", "m3")
_COLUMN_OF = {alias: column for column, aliases in _DIALECTS.items() for alias in aliases}
_REQUIRED = tuple(column for column in _DIALECTS if column not in ("meter", "sub_ean", _CALORIFIC))
# what we add ourselves: a header of that name is another column
_OWN = (LINE, *(column for column in READINGS.received.columns if column not in _DIALECTS))


def read_export(original: bytes, name: str) -> tuple[pl.DataFrame, dict[str, str]]:
    """The data lines of an export as text, and how its first header writes our columns.

    Returns:
        The columns of `_DIALECTS` that the file has, every other under its own header name, `carrier`, `source`,
        `part` (which file of a zip, which sheet of a workbook) and `line` (counted on through them).
        A line with too few or too many cells has only its number. And titles of the file by column.

    Raises:
        UnreadableFileError: it is no text, a column is missing, or it would unpack to a bomb.
    """
    content = unpacked(original, name)
    files = [(name, content)] if isinstance(content, bytes) else [each for each in content if each[0][:1] != "."]
    if not files:
        raise UnreadableFileError("no_file", name)
    parts: list[pl.DataFrame] = []
    titles: dict[str, str] = {}
    before = 0
    tables = (table for own_name, part in files for table in _tables(part, _place(name, own_name, len(files))))
    for number, (place, lines) in enumerate(tables, 1):
        rows, written = _rows(lines, place)
        titles = written | titles
        parts.append(rows.with_columns(pl.col(LINE) + before, pl.lit(str(number)).alias("part")))
        before += lines.len()
    return pl.concat(parts, how="diagonal"), titles


def _place(name: str, own_name: str, files: int) -> str:
    return name if files == 1 else f"{name}: {own_name}"


def _tables(part: bytes, place: str) -> Iterable[tuple[str, pl.Series]]:
    """Where each table of a file stands, for messages, and its lines."""
    if not is_workbook(part):
        return [(place, lines_of(text_of(part, place), place))]
    found = [(f"{place}: sheet {sheet}", _joined(cells)) for sheet, cells in sheets_of(part, place)]
    if not found:
        raise UnreadableFileError("empty", place)
    return found if len(found) > 1 else [(place, lines) for _, lines in found]


def _joined(cells: pl.DataFrame) -> pl.Series:
    """The rows of a sheet as `;` lines, whether a row is one cell or has one per column."""
    used = [column for column in cells.get_columns() if column.null_count() < column.len()]
    line = pl.concat_str(pl.all().fill_null(""), separator=_SEPARATOR)
    return (
        pl.DataFrame(used)
        .select(pl.when(pl.any_horizontal(pl.all().is_not_null())).then(line).otherwise(pl.lit("")).alias("line"))
        .to_series()
    )


def _rows(lines: pl.Series, name: str) -> tuple[pl.DataFrame, dict[str, str]]:
    numbered = lines.alias("text").to_frame().with_row_index(LINE, offset=1)
    filled = numbered.cast({LINE: pl.Int64}).filter(pl.col("text").str.strip_chars() != "")
    if _NAMES_SEPARATOR.fullmatch(filled["text"][0]):
        filled = filled.slice(1)
    if filled.is_empty():
        raise UnreadableFileError("empty", name)
    written = [cell.strip().strip('"') for cell in filled["text"][0].split(_SEPARATOR)]
    columns = _columns(written, f"{name}: line {filled[LINE][0]}")
    # all at once the cells of two million lines take several gigabytes
    pieces = (_cells(piece, columns) for piece in filled.slice(1).iter_slices(_LINES_AT_ONCE))
    cells = pl.concat([_cells(filled.clear(), columns), *pieces])
    rows = cells.with_columns(_carrier(cells).alias("carrier"), pl.lit(_SOURCE).alias("source"))
    return rows, dict(zip(columns, written, strict=True))


def _carrier(cells: pl.DataFrame) -> pl.Expr:
    """Gas, where the export has its calorific value or measures the same access point in m³ too."""
    if _CALORIFIC in cells.columns:
        return pl.lit("gas")
    is_gas = pl.col("unit").str.strip_chars().is_in(_CUBIC_METRES).any().over("ean")
    return pl.when(is_gas).then(pl.lit("gas")).otherwise(pl.lit("electricity"))


def _columns(written: list[str], place: str) -> list[str]:
    """The column of every header cell.

    Raises:
        UnreadableFileError: one is missing or stands twice.
    """
    columns = [_COLUMN_OF.get(cell.casefold(), cell) for cell in written]
    missing = [READINGS.received.spelling(column) for column in _REQUIRED if column not in columns]
    if missing:
        # only known titles are repeated: a file without header has meter readings on this line
        known = ", ".join(cell for cell in written if cell.casefold() in _COLUMN_OF) or "nothing"
        raise UnreadableFileError(
            "lacks_export_columns", place, missing=", ".join(repr(title) for title in missing), known=known
        )
    named = zip(written, columns, strict=True)
    twice = sorted({cell for cell, column in named if column and columns.count(column) > 1})
    if twice:
        raise UnreadableFileError("column_twice", place, twice=", ".join(map(name_to_show, twice)))
    return columns


def _cells(lines: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    named = max(at for at, column in enumerate(columns, 1) if column)
    nameless = len(columns) - named
    # a shifted cell would be read as another column, so nothing of such a line is guessed; what stands behind the last
    # column with a name, or is empty, shifts none
    whole = pl.col("text").str.extract(rf"^((?:[^;]*;){{{named - 1}}}[^;]*)(?:;[^;]*){{0,{nameless}}}(?:;\s*)*$")
    fields = whole.str.split_exact(_SEPARATOR, named - 1).struct.rename_fields(_free_of_line(columns[:named]))
    return lines.select(LINE, fields.alias("cells")).unnest("cells")


def _free_of_line(columns: list[str]) -> list[str]:
    return [f"{column} ({at})" if column in (*_OWN, "") else column for at, column in enumerate(columns, 1)]
