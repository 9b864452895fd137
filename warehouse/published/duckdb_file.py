"""A build as one DuckDB file that older programs can open too.

Belongs here: copying the published schemas out of the pipeline's own file. Readers get this copy, because a
reader of the writer's file would block the pipeline, and the reverse.
"""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.durable import sync
from warehouse.engine import transaction
from warehouse.published.contents import Contents, Table
from warehouse.published.files import Before
from warehouse.published.pointer import DATABASE
from warehouse.published.relations import literal, quoted


class DuckdbFile:
    """`<build>/ademruimte.duckdb`: views became tables, comments are kept.

    It begins as a copy of the file before it, in which only what changed is written again.
    """

    def write(self, contents: Contents, folder: Path, before: Before | None) -> Collection[str]:
        """See `Form.write`."""
        target = folder / DATABASE
        base = before if before is not None and _take_over(before, target) else None
        # hundreds of comments, each a transaction of its own, cost as much as the tables
        with _attached(contents.con, target), transaction(contents.con):
            _drop_others(contents, base)
            for schema in dict.fromkeys(table.schema for table in contents.tables):
                contents.con.execute(f"create schema if not exists target.{quoted(schema)}")
            written = [table for table in contents.tables if base is None or not base.holds(table)]
            for table in written:
                # names come from the catalogue and are quoted
                contents.con.execute(f"create or replace table target.{table.as_sql} as {table.select}")
            for table in contents.tables:
                if base is None or table in written or not base.says_the_same(table):
                    _describe(contents.con, table)
        sync(target)
        return [table.full_name for table in written]


def _take_over(before: Before, target: Path) -> bool:
    """Whether the file of an earlier build is as it was written, and was copied so."""
    known = before.whole(DATABASE)
    if known is None:
        return False
    shutil.copyfile(known, target)
    # a reader may have begun to write to it meanwhile
    if before.whole(DATABASE) is None:
        target.unlink()
        return False
    return True


def _drop_others(contents: Contents, base: Before | None) -> None:
    held = {(table.schema, table.name) for table in contents.tables}
    for schema, name in base.names() if base else ():
        if (schema, name) not in held:
            contents.con.execute(f"drop table target.{quoted(schema)}.{quoted(name)}")


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, target: Path) -> Iterator[None]:
    # the default format of DuckDB 2 cannot be read by the versions inside today's Power BI drivers
    con.execute("attach ? as target (storage_version 'v1.0.0')", [str(target)])
    try:
        yield
        con.execute("checkpoint target")
    finally:
        con.execute("detach target")


def _describe(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    said = "null" if table.comment is None else literal(table.comment)
    con.execute(f"comment on table target.{table.as_sql} is {said}")
    for column in table.columns:
        said = "null" if column.comment is None else literal(column.comment)
        con.execute(f"comment on column target.{table.as_sql}.{column.as_sql} is {said}")
