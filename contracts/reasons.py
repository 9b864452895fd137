"""Why a row is refused, as a value: a code, the column it is about, and what stood there.

Belongs here: which reasons a table can give, and how one is said of it. Does not belong here: deciding that a row is
refused (`contracts.gate`), the words of a code (`contracts.words`), or those of a rule over several columns, which
stand beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from contracts.cities.profile import City
from contracts.kinds import kind_of
from contracts.vocabulary import LINE, Column, Noted, Refused, TableContract
from contracts.words import WORDS, Value, in_dutch, in_english


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is refused.

    Attributes:
        code: a code of `contracts.words`, or the name of a rule of the table.
        column: the received column it is about; empty where it is about none.
        values: what the words of the code leave open.
    """

    code: str
    column: str
    values: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, code: str, column: str, **values: Value) -> "Reason":
        """A reason with the values that its words leave open."""
        return cls(code, column, tuple(values.items()))

    def said(self, table: TableContract) -> tuple[str, str]:
        """English and Dutch; in Dutch a column is called as its supplier writes it."""
        rule = next((rule for rule in table.rules if rule.name == self.code), None)
        values = dict(self.values)
        english = rule.reason if rule else in_english(self.code, values)
        dutch = rule.reason_nl if rule else in_dutch(self.code, values)
        if not self.column:
            return english, dutch
        return f"{self.column}: {english}", f"{table.received.spelling(self.column)}: {dutch}"


def of_any_row(code: str, english: str, dutch: str) -> tuple[str, str]:
    """A reason in words that hold for any row it was given of: without the day or the lines of one delivery."""
    of_any = f"{code}_of_any_row"
    if of_any not in WORDS:
        return english, dutch
    return (
        f"{english.partition(': ')[0]}: {in_english(of_any, {})}",
        f"{dutch.partition(': ')[0]}: {in_dutch(of_any, {})}",
    )


def wire_name(table: TableContract, column_name: str) -> str:
    """The name under which the supplier knows a landed column; its own name where it is derived from others."""
    found = [column.wire for column in table.columns if column.name == column_name]
    return next(iter(found), column_name)


def unreadable(column: Column) -> Reason:
    """Said of a text that is there and cannot be read."""
    return Reason(kind_of(column).unreadable, column.wire)


def missing(column: Column, table: TableContract) -> Reason:
    """Said where a value lacks that must be there."""
    return Reason("missing" if table.received.is_filled(column.wire) else "not_derived", column.wire)


def broken_limits(column: Column, table: TableContract) -> Iterator[Reason]:
    """What may be said of a value outside the limits of its column."""
    wire, meaning = column.wire, table.received.meaning_nl.get(column.wire, "").rstrip(".")
    if column.minimum is not None:
        yield Reason.of("below", wire, limit=column.minimum)
    if column.maximum is not None:
        yield Reason.of("above", wire, limit=column.maximum)
    if column.allowed:
        yield Reason.of("unlisted", wire, allowed=", ".join(column.allowed))
    if column.pattern:
        described = {"meaning": meaning} if meaning else {}
        yield Reason.of("misshapen" if meaning else "unmatched", wire, pattern=column.pattern, **described)


def possible(table: TableContract) -> dict[Reason, Refused]:
    """Every reason to refuse a row but a day to come or a spoilt cell, and what refusing it does."""
    found = {reason: _refused(column, table) for column in table.columns for reason in _of_column(column, table)}
    return found | {Reason(rule.name, rule.column): rule.refused for rule in table.rules}


def published(table: TableContract, city: City) -> dict[Reason, Refused]:
    """The reasons of `possible` that a supplier can meet: any text at all can be read as a plain text."""
    nonsense = pl.DataFrame({name: ["¤"] for name in table.received.columns}).with_columns(pl.lit(1).alias(LINE))
    read = table.parse(nonsense, city)
    plain = [column for column in table.columns if column.dtype == pl.String and read[column.name].null_count() == 0]
    never = {unreadable(column) for column in plain}
    return {reason: refused for reason, refused in possible(table).items() if reason not in never}


def _of_column(column: Column, table: TableContract) -> Iterator[Reason]:
    if column.name not in table.noted:
        if column.wire in table.received.columns:
            yield unreadable(column)
        yield from broken_limits(column, table)
    if not column.nullable:
        yield missing(column, table)


def _refused(column: Column, table: TableContract) -> Refused:
    """What a refusal by this column does; of a value that is only noted it can still be said that it is missing."""
    breach = table.breaches.get(column.name, table.refused)
    return table.refused if isinstance(breach, Noted) else breach
