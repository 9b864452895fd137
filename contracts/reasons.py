"""The words in which a refused row is explained: English for the data team, Dutch for the supplier.

Belongs here: every sentence that the gate may say of a row, and its translation. Does not belong here: deciding
that a row is refused (`contracts.gate`), or the sentences of a rule over several columns (those stand beside it).
"""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from contracts.cities.profile import City
from contracts.kinds import kind_of
from contracts.vocabulary import LINE, Column, Noted, Refused, TableContract

MISSING = "is missing"
UNREADABLE = "cannot be read"


def below(column: Column) -> str:
    """Said of a value under the column's minimum."""
    return f"is below {column.minimum:g}"


def above(column: Column) -> str:
    """Said of a value over the column's maximum."""
    return f"is above {column.maximum:g}"


def not_allowed(column: Column) -> str:
    """Said of a value outside the column's list."""
    return f"is none of {', '.join(column.allowed)}"


def misshapen(column: Column) -> str:
    """Said of a text that the column's pattern does not match."""
    return f"does not look like {column.pattern}"


def to_come(table: TableContract, column: str, last: date) -> tuple[str, str]:
    """English and Dutch, said of a row with a day after the one on which it was supplied."""
    wire = wire_name(table, column)
    return (
        f"{wire}: lies after the day of delivery, {last}",
        f"{table.received.spelling(wire)}: ligt na de dag van levering, {last}. Kijk de datum na.",
    )


def sheet_error(table: TableContract, wire: str, error: str) -> tuple[str, str]:
    """English and Dutch, said of a cell in which a spreadsheet wrote an error."""
    spelt = table.received.spelling(wire)
    return (
        f"{wire}: holds the spreadsheet error {error}",
        f"{spelt}: in deze cel staat de fout {error}. Verbeter de formule, of vul de waarde zelf in.",
    )


def uncalculated(table: TableContract, wire: str) -> tuple[str, str]:
    """English and Dutch, said of a cell that holds a formula without its outcome."""
    spelt = table.received.spelling(wire)
    return (
        f"{wire}: holds a formula that was not calculated",
        f"{spelt}: in deze cel staat een formule zonder uitkomst. Bewaar het bestand in Excel, of vul de waarde in.",
    )


def rounded(table: TableContract, wire: str) -> tuple[str, str]:
    """English and Dutch, said of a name of which a spreadsheet kept only the first digits."""
    spelt = table.received.spelling(wire)
    return (
        f"{wire}: was rounded by a spreadsheet",
        f"{spelt}: het rekenblad heeft dit nummer afgerond (E+). Zet de kolom op tekst en vul het nummer opnieuw in.",
    )


def contradicted(table: TableContract, lines: Sequence[int]) -> tuple[str, str]:
    """English and Dutch, said of every one of some lines that give other values for the same thing."""
    wire = wire_name(table, next(name for name in table.key if wire_name(table, name) in table.received.columns))
    *others, last = map(str, lines)
    first, spelt = ", ".join(others), table.received.spelling(wire)
    return (
        f"{wire}: lines {first} and {last} give different values for the same key, so neither counts",
        f"{spelt}: de regels {first} en {last} spreken elkaar tegen; geen ervan telt. Houd de juiste over.",
    )


def wire_name(table: TableContract, column_name: str) -> str:
    """The name under which the supplier knows a landed column; its own name where it is derived from others."""
    found = [column.reads for column in table.columns if column.name == column_name]
    return next(iter(found), "") or column_name


def in_dutch(table: TableContract) -> dict[str, str]:
    """Every reason for which this table may refuse a row, but for a day to come: English to Dutch."""
    of_columns = {english: dutch for column in table.columns for english, dutch in _of_column(column, table)}
    return of_columns | {rule.reason: rule.reason_nl or rule.reason for rule in table.rules}


def refused_by(table: TableContract) -> dict[str, Refused]:
    """What each reason of `in_dutch` takes away, by the reason in English."""
    of_columns = {
        english: table.breaches.get(column.name, table.refused)
        for column in table.columns
        for english, _ in _of_column(column, table)
    }
    # of a value that may be noted it can still be said that it is missing
    said = {english: table.refused if isinstance(each, Noted) else each for english, each in of_columns.items()}
    return said | {rule.reason: rule.refused for rule in table.rules}


def published(table: TableContract, city: City) -> dict[str, str]:
    """The reasons of `in_dutch` that a supplier can meet: any text at all can be read as a plain text."""
    nonsense = pl.DataFrame({name: ["¤"] for name in table.received.columns}).with_columns(pl.lit(1).alias(LINE))
    read = table.parse(nonsense, city)
    plain = [column for column in table.columns if column.dtype == pl.String and read[column.name].null_count() == 0]
    never = {f"{column.reads or column.name}: {UNREADABLE}" for column in plain}
    return {english: dutch for english, dutch in in_dutch(table).items() if english not in never}


def _of_column(column: Column, table: TableContract) -> Iterator[tuple[str, str]]:
    wire = column.reads or column.name
    spelt = table.received.spelling(wire)
    refuses = column.name not in table.noted
    if refuses and wire in table.received.columns:
        yield f"{wire}: {UNREADABLE}", f"{spelt}: {kind_of(column).expected_nl}"
    for english, dutch in _limits(column, table.received.meaning_nl.get(wire, "")) if refuses else ():
        yield f"{wire}: {english}", f"{spelt}: {dutch}"
    if not column.nullable:
        empty, derived = "is leeg. Vul een waarde in.", "volgt niet uit deze rij. Kijk na of ze volledig en juist is."
        yield f"{wire}: {MISSING}", f"{spelt}: {empty if table.received.is_filled(wire) else derived}"


def _limits(column: Column, meaning_nl: str) -> Iterator[tuple[str, str]]:
    if column.minimum is not None:
        yield below(column), f"is kleiner dan {_number_nl(column.minimum)}. Kijk de waarde en de eenheid na."
    if column.maximum is not None:
        yield above(column), f"is groter dan {_number_nl(column.maximum)}. Kijk de waarde en de eenheid na."
    if column.allowed:
        yield not_allowed(column), f"deze waarde kennen we niet. Kies uit: {', '.join(column.allowed)}."
    if column.pattern:
        expected = f"Hier hoort: {meaning_nl}" if meaning_nl else f"Volg dit patroon: {column.pattern}"
        yield misshapen(column), f"heeft niet de juiste vorm. {expected.rstrip('.')}."


def _number_nl(value: float) -> str:
    return f"{value:g}".replace(".", ",")
