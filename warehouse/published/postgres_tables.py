"""A table of a build as PostgreSQL keeps and shows it.

Belongs here: names, types and the SQL made of them. Does not belong here: when any of it is executed (`postgres`).
"""

import re
from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from typing import Final, NamedTuple

from contracts.kinds import WHOLE
from warehouse.published.contents import Column, Table
from warehouse.published.postgres_connection import MARTS, PostgresError
from warehouse.published.relations import literal, quoted

BUILD_ID: Final = "build_id"
_BUILD_NOTE = "Uit welke publicatie dit komt; verschilt het tussen tabellen, vernieuw dan opnieuw"
_VERSION_BITS = 60
_LONGEST_NAME = 46
"""What PostgreSQL leaves of a name, less two underscores and the fifteen digits of a version."""

_TEXT, _WHOLE, _BIG, _DOUBLE = "text", "integer", "bigint", "double precision"
# by the beginning of DuckDB's name: the type that Power BI reads well, and how a value becomes one
_TYPES: Final[tuple[tuple[str, str, str], ...]] = (
    ("BOOLEAN", "boolean", "{0}"),
    ("TINYINT", _WHOLE, "{0}::integer"),
    ("SMALLINT", _WHOLE, "{0}::integer"),
    ("UTINYINT", _WHOLE, "{0}::integer"),
    ("USMALLINT", _WHOLE, "{0}::integer"),
    ("INTEGER", _WHOLE, "{0}"),
    ("UINTEGER", _BIG, "{0}::bigint"),
    (WHOLE.sql, _BIG, "{0}"),
    ("UBIGINT", "numeric(38,0)", "{0}::decimal(38, 0)"),
    ("HUGEINT", "numeric(38,0)", "{0}::decimal(38, 0)"),
    ("UHUGEINT", "numeric(38,0)", "{0}::decimal(38, 0)"),
    ("FLOAT", _DOUBLE, "{0}::double"),
    ("DOUBLE", _DOUBLE, "{0}"),
    ("DATE", "date", "{0}"),
    # Npgsql gives a moment with a zone in that of the reader's machine: what ends in `_at` is UTC here too
    ("TIMESTAMP WITH TIME ZONE", "timestamp without time zone", "({0} at time zone 'UTC')::timestamp"),
    ("TIMESTAMP", "timestamp without time zone", "{0}::timestamp"),
)
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
# PostgreSQL holds no zero byte in a text
_AS_TEXT = "replace({0}, chr(0), '')"
_WIDENS = {(_WHOLE, _BIG), (_WHOLE, _DOUBLE), (_BIG, _DOUBLE)}
_ROW_FILTER = """ and ({column} = any (array(select a.department from ledger.access a where a.login = session_user))
  or exists (select 1 from ledger.access a where a.login = session_user and a.department = '*'))"""


class Kept(NamedTuple):
    """A column of the table behind a view."""

    name: str
    type: str


class Shown(NamedTuple):
    """A column of a view: its name, the expression that gives it, and what is said of it."""

    name: str
    sql: str
    comment: str | None


def type_of(column: Column) -> str:
    """The type of a column in PostgreSQL, as PostgreSQL names it."""
    return _typed(column)[0]


def read_as(column: Column) -> str:
    """The DuckDB expression of exactly that type: the driver rounds, cuts or refuses what is nearly so."""
    return _typed(column)[1].format(column.as_sql)


def _typed(column: Column) -> tuple[str, str]:
    if column.type.endswith("]"):
        # no client of Power BI reads a list
        return _TEXT, "replace(array_to_string({0}::varchar[], '; '), chr(0), '')"
    if decimal := _DECIMAL.fullmatch(column.type):
        return f"numeric({decimal[1]},{decimal[2]})", "{0}"
    if column.type == "VARCHAR":
        return _TEXT, _AS_TEXT
    for beginning, kept, expression in _TYPES:
        if column.type == beginning or column.type.startswith((f"{beginning}_", f"{beginning} ")):
            return kept, expression
    return _TEXT, _AS_TEXT.format("{0}::varchar")


def version_of(table: Table) -> int:
    """The version of a table as a number, which a partition is found by more quickly than by a text."""
    return int(table.sha256, 16) >> (256 - _VERSION_BITS)


def parent_of(name: str) -> str:
    """The partitioned table behind a view."""
    return f"store.{quoted(name)}"


def view_of(name: str) -> str:
    """The view that readers see."""
    return f"{MARTS}.{quoted(name)}"


def partition_name(name: str, version: int) -> str:
    """The partition that holds a version of a table."""
    return f"{name.encode()[:_LONGEST_NAME].decode(errors='ignore')}__{version:015x}"


def kept_columns(table: Table, there: Sequence[Kept]) -> list[Kept]:
    """Where each column of a table is kept: under its name, or beside what bore that name with another type.

    Args:
        table: of a build.
        there: the columns of the table behind the view; they only ever grow.
    """
    by_name = {kept.name: kept for kept in there}
    return [_kept(column, by_name) for column in table.columns]


def _kept(column: Column, there: Mapping[str, Kept]) -> Kept:
    wanted, known = type_of(column), _of(column.name, there)
    return next((kept for kept in known if kept.type == wanted), Kept(_named(column.name, len(known) + 1), wanted))


def _of(name: str, there: Mapping[str, Kept]) -> list[Kept]:
    """What was ever kept of a column, oldest first."""
    numbered = (there.get(_named(name, number)) for number in count(1))
    return [kept for kept in takewhile(lambda kept: kept is not None, numbered) if kept is not None]


def _named(name: str, number: int) -> str:
    return name if number == 1 else f"{name}__{number}"


def shown_columns(table: Table, there: Sequence[Kept]) -> list[Shown]:
    """The columns of the view over a table.

    Where a column became wider, a reader who still sees the former version finds its values as well.
    """
    by_name = {kept.name: kept for kept in there}
    return [
        Shown(column.name, _shown(kept, _of(column.name, by_name)), column.comment)
        for column, kept in zip(table.columns, kept_columns(table, there), strict=True)
    ]


def _shown(kept: Kept, known: Sequence[Kept]) -> str:
    older = [
        f"d.{quoted(each.name)}::{kept.type}"
        for each in reversed(known)
        if each.name != kept.name and (kept.type == _TEXT or (each.type, kept.type) in _WIDENS)
    ]
    own = f"d.{quoted(kept.name)}"
    return f"coalesce({', '.join([own, *older])})" if older else own


def view_sql(name: str, columns: Sequence[Shown], restricted_by: str | None) -> str:
    """What follows `create` to make the view of a table.

    It finds the version of the build that readers see by a plain subselect: a join, or a function, would read every
    partition (measured).

    Raises:
        PostgresError: it must be filtered by a column that it does not have.
    """
    by_name = {column.name: column.sql for column in columns}
    build = "" if BUILD_ID in by_name else "(select build_id from ledger.publication where is_current) as build_id, "
    shown = ", ".join(f"{column.sql} as {quoted(column.name)}" for column in columns)
    barrier, row_filter = "", ""
    if restricted_by is not None:
        if restricted_by not in by_name:
            raise PostgresError(
                f"PostgreSQL: the city shows {name} by {restricted_by} only, and it has no such column: correct "
                "`restricted` in the city's profile"
            )
        barrier, row_filter = " with (security_barrier)", _ROW_FILTER.format(column=by_name[restricted_by])
    # names are quoted
    return (
        f"view {view_of(name)}{barrier} as select {build}{shown} from {parent_of(name)} d where d.version = "  # noqa: S608
        "(select pt.version from ledger.publication p join ledger.publication_tables pt using (build_id) "
        f"where p.is_current and pt.table_name = {literal(name)}){row_filter}"
    )


def comments_sql(name: str, comment: str | None, columns: Sequence[Shown]) -> str:
    """What says of a view and its columns what they are."""
    view = view_of(name)
    said: Mapping[str, str | None] = {BUILD_ID: _BUILD_NOTE} | {column.name: column.comment for column in columns}
    lines = [f"comment on column {view}.{quoted(column)} is {_said(text)}" for column, text in said.items()]
    return ";\n".join([f"comment on view {view} is {_said(comment)}", *lines])


def _said(text: str | None) -> str:
    return "null" if text is None else literal(text)
