"""Polars expressions that read a supplier's text; what cannot be read becomes null, never a guess."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from contracts.cities.profile import City

UTC_INSTANT = pl.Datetime("us", "UTC")
_PLAIN_NUMBER = r"^[+-]?\d{1,15}([.,]\d*)?$"
_DECIMAL_COMMA = r"^[+-]?\d{1,15},\d+$"
_POINT_BEFORE_THREE = r"^[+-]?\d{1,3}\.\d{3}$"
# a year of two digits may be any of several, and one before 1900 or after 2100 is a slip
_YEAR = r"(?:19\d\d|20\d\d|2100)"
_WITH_A_YEAR = rf"^(?:{_YEAR}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}-\d{{1,2}}-{_YEAR}|\d{{1,2}}/\d{{1,2}}/{_YEAR})(?:\D|$)"
# as Excel writes them in English and Dutch, LibreOffice, and a column too narrow for its number
_SHEET_ERROR = r"^(?:#(?:[A-ZÀ-Ý_]{1,20}(?:/0)?[!?]|N/[ABD]|NV|GETTING_DATA|#+)|(?:Err|Fout):\d{3})$"
# but for ="541" and =541, as an export writes an EAN that a spreadsheet must leave alone
_FORMULA = r"^=(?:[^\"\d]|\d+[^\d]|$)"
# Excel always writes the sign
_ROUNDED = r"^[+-]?\d(?:[.,]\d+)?[eE]\+\d{2,3}$"
_SERIAL_DAY = r"^[2-7]\d{4}(\.0+)?$"
_DAY_FORMATS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y")


def text(column: str) -> pl.Expr:
    """The trimmed text of a column; empty becomes null."""
    trimmed = pl.col(column).str.strip_chars()
    return pl.when(trimmed != "").then(trimmed).alias(column)


def lower(column: str) -> pl.Expr:
    """The text of a column, in small letters."""
    return text(column).str.to_lowercase()


def upper(column: str) -> pl.Expr:
    """The text of a column, in capitals."""
    return text(column).str.to_uppercase()


@dataclass(frozen=True, slots=True)
class Coded:
    """A word of a list, whatever its capitals, as the code that stands for it."""

    codes: Mapping[str, str]

    def __call__(self, column: str) -> pl.Expr:
        """The code; null where the word is not in the list."""
        return lower(column).replace_strict(self.codes, default=None, return_dtype=pl.String)


def sheet_error(column: str) -> pl.Expr:
    """The error that a spreadsheet left in a cell instead of a value; null where there is none."""
    return pl.when(text(column).str.contains(_SHEET_ERROR)).then(text(column))


def is_formula(column: str) -> pl.Expr:
    """Whether a cell holds a formula and not its outcome; `="541"`, a text to Excel, is none."""
    return text(column).str.contains(_FORMULA)


def is_rounded(column: str) -> pl.Expr:
    """Whether a spreadsheet wrote a long number with an exponent, so that its last digits are gone."""
    return text(column).str.contains(_ROUNDED)


def left_by_spreadsheet(cell: str) -> str | None:
    """What a spreadsheet left where a name belongs: its error, the rounded number, or `=` for a formula.

    Of a formula no more, for its text may name somebody. None where the cell holds a name.
    """
    bare = cell.strip()
    if re.match(_FORMULA, bare):
        return "="
    return bare if re.match(_SHEET_ERROR, bare) or re.match(_ROUNDED, bare) else None


def number(column: str) -> pl.Expr:
    """A plain number with a decimal comma or point, at most 15 digits before it.

    No thousands separator and no exponent; `inf` and `nan` are words, not numbers.
    """
    plain = pl.when(text(column).str.contains(_PLAIN_NUMBER)).then(text(column))
    return plain.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)


def kept_number(column: str, beside: tuple[str, ...] = ()) -> pl.Expr:
    """A number in a table that a person keeps; a point before three digits is not guessed at.

    Where a decimal comma stands anywhere in the column or in those beside it, `1.234` may be a thousand or a bit
    over one: it becomes null. Where no comma stands, a point is a decimal point.

    Args:
        column: the text.
        beside: the other number columns of the same table, which show how the file writes numbers.
    """
    has_commas = pl.any_horizontal(text(each).str.contains(_DECIMAL_COMMA).any() for each in (column, *beside))
    ambiguous = has_commas & text(column).str.contains(_POINT_BEFORE_THREE)
    return pl.when(~ambiguous).then(number(column)).alias(column)


def whole_number(column: str) -> pl.Expr:
    """A whole number."""
    return text(column).cast(pl.Int64, strict=False)


def dated(column: str) -> pl.Expr:
    """The text of a column where it begins with a date whose year has four digits and lies from 1900 to 2100.

    Every reader of a date or a moment begins here: the parsers themselves take year 26, and years before Christ.
    """
    return pl.when(text(column).str.contains(_WITH_A_YEAR)).then(text(column))


def day(column: str) -> pl.Expr:
    """A date from 1900 to 2100: ISO, or day-month-year with dashes or slashes. Midnight after it is cut off."""
    # a spreadsheet gives midnight with every date
    written = dated(column).str.replace(r"[T ]00:00:00(\.0+)?$", "")
    return pl.coalesce(written.str.to_date(form, strict=False) for form in _DAY_FORMATS)


def kept_day(column: str) -> pl.Expr:
    """A calendar date in a table that a person keeps: see `day`; or the serial number of a spreadsheet.

    A spreadsheet that lost the format of a date cell writes the days since 30 December 1899; from 20000 (1954)
    to 79999 (2119) that is taken for a date.
    """
    serial = pl.when(text(column).str.contains(_SERIAL_DAY)).then(text(column).str.slice(0, 5))
    counted = pl.lit(date(1899, 12, 30)) + pl.duration(days=serial.cast(pl.Int64, strict=False))
    return pl.coalesce(day(column), counted)


def instant(column: str, unzoned: str = "UTC") -> pl.Expr:
    """An RFC 3339 instant from 1900 to 2100.

    Args:
        column: the text.
        unzoned: the time zone of a time without designator; OCPI says UTC (2.2.1, types, DateTime), an
            Open311 server that leaves it out means its own.
    """
    written = dated(column).str.replace("Z$", "+00:00")
    zoned = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)
    wall_clock = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    local = wall_clock.dt.replace_time_zone(unzoned, ambiguous="earliest", non_existent="null")
    return pl.coalesce(zoned, local.dt.convert_time_zone("UTC")).cast(UTC_INSTANT)


def boolean(column: str) -> pl.Expr:
    """A boolean as JSON, Dutch or English files write it."""
    return text(column).str.to_lowercase().replace_strict(BOOLEANS, default=None, return_dtype=pl.Boolean)


_TRUE = ("true", "1", "ja", "j", "yes", "x", "waar")
_FALSE = ("false", "0", "nee", "neen", "n", "no", "onwaar")
BOOLEANS = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}


def local_date(instant_column: str, time_zone: str) -> pl.Expr:
    """The city's calendar date of an instant."""
    return pl.col(instant_column).dt.convert_time_zone(time_zone).dt.date()


def city_date(instant_column: str) -> Callable[[City], pl.Expr]:
    """The same, for whichever city reads it."""
    return lambda city: local_date(instant_column, city.time_zone)


# as a type is read where a field does not say how
READERS: Mapping[pl.DataType | type[pl.DataType], Callable[[str], pl.Expr]] = {
    pl.String: text,
    pl.Int64: whole_number,
    pl.Float64: number,
    pl.Date: day,
    pl.Boolean: boolean,
    UTC_INSTANT: instant,
}
