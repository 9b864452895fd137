"""A build as one DuckDB file that older programs can open too.

Belongs here: copying the published schemas out of the pipeline's own file. Readers get this copy, because a
reader of the writer's file would block the pipeline, and the reverse.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.durable import require_free, sync, telling_when_full
from warehouse.engine import connect, transaction
from warehouse.layout import Layout
from warehouse.published.parquet import write_parquet
from warehouse.published.pointer import DATABASE, stage
from warehouse.published.relations import Relation, quoted, relations

_COLUMN_COMMENTS = """
select schema_name, table_name, column_name, comment from duckdb_columns()
where database_name = current_database() and list_contains($schemas, schema_name) and comment is not null
"""


def stage_build(layout: Layout, build_id: str, schemas: Sequence[str]) -> Path:
    """Writes a build in every form, where no reader looks yet.

    Returns:
        Its folder. A build that is staged already stays as it is.

    Raises:
        DiskFullError: it might not fit; nothing was written.
        WarehouseBusyError: another process holds the warehouse.
    """

    def write(folder: Path) -> None:
        require_free(folder, layout.warehouse.stat().st_size, f"build {build_id}")
        write_duckdb(layout.warehouse, folder / DATABASE, schemas)
        # from the copy, so that both hold the same
        write_parquet(folder / DATABASE, folder, schemas)

    with telling_when_full(f"build {build_id} in {layout.published}"):
        return stage(layout.published, build_id, write)


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
        # hundreds of comments, each a transaction of its own, cost as much as the tables
        with _attached(con, target), transaction(con):
            for schema in schemas:
                con.execute(f"create schema target.{quoted(schema)}")
            for relation in relations(con, schemas):
                _copy(con, relation)
            for schema, name, column, comment in con.execute(_COLUMN_COMMENTS, {"schemas": list(schemas)}).fetchall():
                place = f"target.{quoted(schema)}.{quoted(name)}.{quoted(column)}"
                con.execute(f"comment on column {place} is {_literal(comment)}")
    finally:
        con.close()
    sync(target)


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, target: Path) -> Iterator[None]:
    # the default format of DuckDB 2 cannot be read by the versions inside today's Power BI drivers
    con.execute("attach ? as target (storage_version 'v1.0.0')", [str(target)])
    try:
        yield
        con.execute("checkpoint target")
    finally:
        con.execute("detach target")


def _copy(con: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    # names come from the catalogue and are quoted
    con.execute(f"create table target.{relation.as_sql} as from {relation.as_sql}")
    if relation.comment is not None:
        con.execute(f"comment on table target.{relation.as_sql} is {_literal(relation.comment)}")


def _literal(text: str) -> str:
    """A text as SQL writes it; `comment on` takes no bound value."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
