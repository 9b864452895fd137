"""The kinds of values a column may hold, and what each is called wherever a contract is told.

Belongs here: one row per kind. Does not belong here: how a text becomes such a value (`contracts.reading`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from contracts.vocabulary import UTC_INSTANT, Column


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of values.

    Attributes:
        sql: its type in DuckDB.
        standard: its logical type in the Open Data Contract Standard.
        title_nl: what a supplier calls it.
        expected_nl: what he is told where a text is not of that kind.
    """

    sql: str
    standard: str
    title_nl: str
    expected_nl: str


INSTANT = Kind(
    "TIMESTAMP WITH TIME ZONE",
    "timestamp",
    "tijdstip",
    "hier hoort een tijdstip. Schrijf bijvoorbeeld 2026-11-23T14:30:00Z.",
)
TEXT = Kind("VARCHAR", "string", "tekst", "deze waarde kennen we niet. Kijk na wat in deze kolom hoort.")
WHOLE = Kind("BIGINT", "integer", "geheel getal", "hier hoort een geheel getal. Schrijf bijvoorbeeld 12.")
_KINDS: Mapping[object, Kind] = {
    pl.String: TEXT,
    pl.Float64: Kind(
        "DOUBLE",
        "number",
        "getal",
        "hier hoort een getal. Schrijf bijvoorbeeld 1234,5, zonder punt tussen de duizendtallen.",
    ),
    pl.Int64: WHOLE,
    pl.Boolean: Kind("BOOLEAN", "boolean", "ja of nee", "hier hoort ja of nee."),
    pl.Date: Kind(
        "DATE",
        "date",
        "datum (jjjj-mm-dd)",
        "hier hoort een datum. Schrijf jaar-maand-dag, bijvoorbeeld 2026-11-23.",
    ),
    UTC_INSTANT: INSTANT,
}


def kind_of(column: Column) -> Kind:
    """The kind of values that a column holds."""
    return _KINDS[column.dtype]
