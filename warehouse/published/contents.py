"""What a build holds: its tables, and of each the version that follows from its rows.

Belongs here: which rows of a table readers get, and how two builds are known to hold the same. Does not belong here:
how a store keeps them.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from contracts.marts.descriptions import dutch
from warehouse.engine import CONFIG, connect
from warehouse.published.pointer import PARQUET
from warehouse.published.relations import Relation, literal, quoted, relations

FILE = "contents.json"
"""The list of what a build holds, in its folder."""

_COLUMNS = """
select schema_name, table_name, column_name, data_type, comment from duckdb_columns()
where database_name = current_database() and list_contains($schemas, schema_name)
order by schema_name, table_name, column_index
"""
_ENDLESS = ("DOUBLE", "FLOAT", "DATE", "TIMESTAMP")
_log = logging.getLogger("ademruimte.published")


class UnknownContentsError(LookupError):
    """A build does not say what it holds."""


class Column(NamedTuple):
    """A column, as DuckDB names its type."""

    name: str
    type: str
    comment: str | None

    @property
    def as_sql(self) -> str:
        """Its name as SQL writes it."""
        return quoted(self.name)

    @property
    def may_be_endless(self) -> bool:
        """Whether it can hold what is no number, or no day: Power BI, and every driver beneath it, chokes on that."""
        return self.type.startswith(_ENDLESS) and not self.type.endswith("]")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a build.

    Attributes:
        select: the query that gives its rows, as readers get them.
        sha256: of its columns and rows, in whatever order they lie: equal is the same table.
    """

    schema: str
    name: str
    comment: str | None
    columns: tuple[Column, ...]
    select: str
    rows: int
    sha256: str

    @property
    def full_name(self) -> str:
        """Schema and name, as a person says them."""
        return f"{self.schema}.{self.name}"

    @property
    def as_sql(self) -> str:
        """Its name as SQL writes it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def comments(self) -> tuple[str | None, ...]:
        """What is said of it and of each column: no part of its version."""
        return (self.comment, *(column.comment for column in self.columns))


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a build shows its readers.

    Attributes:
        con: a connection on which every `select` can be asked.
        payload: about how many bytes its files will take.
    """

    build_id: str
    con: duckdb.DuckDBPyConnection
    payload: int
    tables: tuple[Table, ...]


@contextmanager
def warehouse_contents(warehouse: Path, build_id: str, schemas: Sequence[str]) -> Iterator[Contents]:
    """What these schemas of the pipeline's own file hold.

    Raises:
        WarehouseBusyError: another process holds the warehouse.
    """
    with connect(warehouse) as con:
        columns: dict[tuple[str, str], list[Column]] = {}
        for schema, name, *column in con.execute(_COLUMNS, {"schemas": list(schemas)}).fetchall():
            columns.setdefault((schema, name), []).append(_described(*column))
        tables = [_table(con, each, columns[each.schema, each.name]) for each in relations(con, schemas)]
        yield Contents(build_id, con, warehouse.stat().st_size, tuple(tables))


@contextmanager
def filed_contents(folder: Path) -> Iterator[Contents]:
    """What the files of a published build hold; nobody can lock them, and nothing changes them.

    Raises:
        UnknownContentsError: an earlier version of the program published it.
    """
    said = read_list(folder)
    if said is None:
        raise UnknownContentsError(
            f"build {folder.name} does not say what it holds: an earlier version published it, or its files are gone. "
            "Run `ademruimte build --force`"
        )
    with duckdb.connect(config=CONFIG) as con:
        con.execute("set global TimeZone = 'UTC'")
        yield Contents(folder.name, con, 0, tuple(_filed(folder, table) for table in said["tables"]))


def _filed(folder: Path, said: Mapping[str, Any]) -> Table:
    file = folder / PARQUET / said["schema"] / f"{said['name']}.parquet"
    # ours, and quoted
    select = f"select * from read_parquet({literal(str(file))}, hive_partitioning = false)"  # noqa: S608
    columns = tuple(_described(*each) for each in said["columns"])
    return Table(**{**said, "comment": _in_dutch(said["comment"]), "columns": columns, "select": select})


def _described(name: str, kind: str, comment: str | None) -> Column:
    return Column(name, kind, _in_dutch(comment))


def _in_dutch(comment: str | None) -> str | None:
    """What readers of every store are told: dbt keeps both languages in one text."""
    return None if comment is None else dutch(comment)


def read_list(folder: Path) -> dict[str, Any] | None:
    """What a build says of itself; None where it says nothing that can be read."""
    try:
        said: dict[str, Any] = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return said


def as_list(contents: Contents, stamps: Mapping[str, tuple[int, int]]) -> bytes:
    """The list of a build.

    Args:
        contents: of the build.
        stamps: size and moment of writing of its files, by their path in its folder.
    """
    tables = [
        {"schema": each.schema, "name": each.name, "comment": each.comment, "columns": each.columns}
        | {"rows": each.rows, "sha256": each.sha256}
        for each in contents.tables
    ]
    said = {"build_id": contents.build_id, "tables": tables, "stamps": stamps}
    return json.dumps(said, indent=1, ensure_ascii=False).encode()


def _table(con: duckdb.DuckDBPyConnection, relation: Relation, columns: Sequence[Column]) -> Table:
    """A table with its version: of two sums of a hash per row, so in whatever order its rows lie."""
    shown = ", ".join(f"{_ended(column)} as {column.as_sql}" for column in columns)
    names = ", ".join(column.as_sql for column in columns)
    # names come from the catalogue and are quoted
    select = f"select {shown} from {relation.as_sql}"  # noqa: S608
    hashes = f"select count(*), sum(hash({names})), sum(hash('again', {names})) from ({select})"  # noqa: S608
    [(rows, *sums)] = con.execute(hashes).fetchall()
    _warn_of_endless(con, relation, columns)
    told = json.dumps([relation.schema, relation.name, [column[:2] for column in columns], rows, *map(str, sums)])
    sha256 = hashlib.sha256(told.encode()).hexdigest()
    return Table(relation.schema, relation.name, _in_dutch(relation.comment), tuple(columns), select, rows, sha256)


def _warn_of_endless(con: duckdb.DuckDBPyConnection, relation: Relation, columns: Sequence[Column]) -> None:
    endless = " or ".join(f"not isfinite({column.as_sql})" for column in columns if column.may_be_endless)
    if not endless:
        return
    # names come from the catalogue and are quoted
    [(count,)] = con.execute(f"select count(*) from {relation.as_sql} where {endless}").fetchall()  # noqa: S608
    if count:
        _log.warning("%s: %d rows hold what is no number or no day: readers find it empty", relation.as_sql, count)


def _ended(column: Column) -> str:
    if not column.may_be_endless:
        return column.as_sql
    return f"case when isfinite({column.as_sql}) then {column.as_sql} end"
