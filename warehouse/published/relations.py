"""The tables and views that a build shows its readers."""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

_RELATIONS = """
select schema_name, table_name, comment from duckdb_tables()
where database_name = current_database() and not internal and list_contains($schemas, schema_name)
union all
select schema_name, view_name, comment from duckdb_views()
where database_name = current_database() and not internal and list_contains($schemas, schema_name)
order by all
"""


class Relation(NamedTuple):
    """A table or view of a published schema."""

    schema: str
    name: str
    comment: str | None

    @property
    def quoted(self) -> str:
        """Its name as SQL writes it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"


def relations(con: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[Relation]:
    """The tables and views of these schemas, by schema and name."""
    return [Relation(*row) for row in con.execute(_RELATIONS, {"schemas": list(schemas)}).fetchall()]


def quoted(self) -> str:
    """Its name as SQL writes it."""
    return f"{quoted(self.schema)}.{quoted(self.name)}"


def relations(con: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[Relation]:
    """The tables and views of these schemas, by schema and name."""
    return [Relation(*row) for row in con.execute(_RELATIONS, {"schemas": list(schemas)}).fetchall()]


def write_duckdb(warehouse: Path, target: Path, schemas: Sequence[str]) -> None:
    """Copies schemas into a new DuckDB file; views become tables, comments are kept.

    Args:
        warehouse: the pipeline's own file.
        target: a path where nothing lies yet.
        schemas: names of the schemas; one without tables stays empty.

    Raises:
        WarehouseBusyError: another process holds the warehouse.
    """
    con = connect(warehouse)
    try:
        with _attached(con, target):
            for schema in schemas:
                con.execute(f"create schema target.{quoted(schema)}")
            for relation in relations(con, schemas):
                _copy(con, relation)
    finally:
        con.close()
    sync(target)


def quoted(identifier: str) -> str:
    """An identifier as SQL writes it."""
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'
