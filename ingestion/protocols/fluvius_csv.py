"""The Mijn Fluvius export: `;`, no quoting, EAN as `="…"`, Dutch and English header dialects.

Columns are found by name, never by place, and the file's name proves nothing: its period is the one that
was asked for, not the one inside.
"""

import polars as pl

from contracts.sources.energy_meters import READINGS
from contracts.vocabulary import LINE
from ingestion.errors import UnreadableFileError
from ingestion.protocols.dropped_file import lines_of, text_of

_SEPARATOR = ";"
_CALORIFIC = "gcv_state"
# the first alias is how the present Dutch export writes it
_DIALECTS = {
    "from_date": ("van (datum)", "van datum", "from (date)"),
    "from_time": ("van (tijdstip)", "van tijdstip", "from (time)"),
    "to_date": ("tot (datum)", "tot datum", "until (date)"),
    "to_time": ("tot (tijdstip)", "tot tijdstip", "until (time)"),
    "ean": ("ean-code", "ean", "ean code"),
    "meter": ("meter",),
    "register": ("register",),
    "volume": ("volume",),
    "unit": ("eenheid", "unit"),
    "status": ("validatiestatus", "validation status"),
    _CALORIFIC: ("calorische bovenwaarde", "caloric upper value"),
}
_COLUMN_OF = {alias: column for column, aliases in _DIALECTS.items() for alias in aliases}
_REQUIRED = tuple(column for column in READINGS.received.required if column in _DIALECTS)


def read_export(original: bytes, name: str) -> pl.DataFrame:
    """The data lines of an export as text.

    Returns:
        The columns of `_DIALECTS` that the file has, every other under its own header name, `carrier`, and
        `line` (of the file). A line with too few or too many cells has only its number.

    Raises:
        UnreadableFileError: it is no text, or a column is missing.
    """
    lines = lines_of(text_of(original, name))
    numbered = lines.alias("text").to_frame().with_row_index(LINE, offset=1)
    filled = numbered.cast({LINE: pl.Int64}).filter(pl.col("text").str.strip_chars() != "")
    columns = _columns(filled["text"][0], f"{name}: line {filled[LINE][0]}")
    carrier = "gas" if _CALORIFIC in columns else "electricity"
    return _cells(filled.slice(1), columns).with_columns(pl.lit(carrier).alias("carrier"))


def _columns(header: str, place: str) -> list[str]:
    """The column of every header cell.

    Raises:
        UnreadableFileError: one is missing or stands twice.
    """
    written = [cell.strip().strip('"') for cell in header.split(_SEPARATOR)]
    columns = [_COLUMN_OF.get(cell.casefold(), cell) for cell in written]
    missing = [_DIALECTS[column][0].capitalize() for column in _REQUIRED if column not in columns]
    if missing:
        # only known titles are repeated: a file without header has meter readings on this line
        known = ", ".join(cell for cell in written if cell.casefold() in _COLUMN_OF) or "nothing"
        raise UnreadableFileError(
            f"{place} lacks the column {', '.join(repr(title) for title in missing)}; found: {known}. "
            "Export 'Verbruikshistoriek' from Mijn Fluvius again, as CSV with `;`"
        )
    twice = sorted({cell for cell, column in zip(written, columns, strict=True) if columns.count(column) > 1})
    if twice:
        raise UnreadableFileError(f"{place} names a column twice: {', '.join(twice)}; export it again")
    return columns


def _cells(lines: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    surplus = pl.col("text").str.count_matches(_SEPARATOR, literal=True).cast(pl.Int64) - (len(columns) - 1)
    # a shifted cell would be read as another column, so nothing of such a line is guessed
    whole = pl.when(surplus == 0).then(pl.col("text"))
    fields = whole.str.split_exact(_SEPARATOR, len(columns) - 1).struct.rename_fields(_free_of_line(columns))
    return lines.select(LINE, fields.alias("cells")).unnest("cells")


def _free_of_line(columns: list[str]) -> list[str]:
    return [f"{column} (column)" if column in (LINE, "carrier", "") else column for column in columns]
