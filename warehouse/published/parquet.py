"""A build as Parquet, one file per table, for readers without DuckDB, and for the pipeline: nobody locks it."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from warehouse.engine import connect
from warehouse.frames import read_frame
from warehouse.published.pointer import PARQUET, folder_of
from warehouse.published.relations import relations


def write_parquet(database: Path, build: Path, schemas: Sequence[str]) -> list[Path]:
    """Writes every table and view of these schemas to `<build>/parquet/<schema>/<table>.parquet`.

    Args:
        database: a DuckDB file that nobody in this process has open for writing.
        build: folder of the build.
        schemas: names of the schemas.

    Returns:
        The files written.
    """
    con = connect(database, read_only=True)
    try:
        written = []
        for relation in relations(con, schemas):
            file = _file(build, relation.schema, relation.name)
            file.parent.mkdir(parents=True, exist_ok=True)
            con.execute(f"copy {relation.as_sql} to ? (format parquet, compression zstd)", [str(file)])
            written.append(file)
        return written
    finally:
        con.close()


def read_table(published: Path, build_id: str, table: str) -> pl.DataFrame:
    """A table of a published build, as `schema.table`; whatever its readers do with the DuckDB file beside it."""
    schema, _, name = table.partition(".")
    return read_frame(_file(folder_of(published, build_id), schema, name))


def _file(build: Path, schema: str, name: str) -> Path:
    return build / PARQUET / schema / f"{name}.parquet"
