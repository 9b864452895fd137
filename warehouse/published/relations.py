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
    def as_sql(self) -> str:
        """Its name as SQL writes it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"


def relations(con: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[Relation]:
    """The tables and views of these schemas, by schema and name."""
    return [Relation(*row) for row in con.execute(_RELATIONS, {"schemas": list(schemas)}).fetchall()]


def quoted(identifier: str) -> str:
    """An identifier as SQL writes it."""
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """A text as SQL writes it, where no value can be bound."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
