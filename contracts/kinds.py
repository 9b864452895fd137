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
        unreadable: the code of `contracts.words` for a text that is not of that kind.
    """

    sql: str
    standard: str
    title_nl: str
    unreadable: str


TEXT = Kind("VARCHAR", "string", "tekst", "unreadable_word")
WHOLE = Kind("BIGINT", "integer", "geheel getal", "unreadable_whole_number")
INSTANT = Kind("TIMESTAMP WITH TIME ZONE", "timestamp", "tijdstip", "unreadable_instant")
_KINDS: Mapping[object, Kind] = {
    pl.String: TEXT,
    pl.Float64: Kind("DOUBLE", "number", "getal", "unreadable_number"),
    pl.Int64: WHOLE,
    pl.Boolean: Kind("BOOLEAN", "boolean", "ja of nee", "unreadable_boolean"),
    pl.Date: Kind("DATE", "date", "datum (jjjj-mm-dd)", "unreadable_date"),
    UTC_INSTANT: INSTANT,
}


def kind_of(column: Column) -> Kind:
    """The kind of values that a column holds."""
    return _KINDS[column.dtype]
