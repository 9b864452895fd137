"""A build as Parquet, one file per table, for readers without DuckDB."""

from collections.abc import Sequence
from pathlib import Path

from warehouse.engine import connect
from warehouse.published.relations import relations


def write_parquet(database: Path, folder: Path, schemas: Sequence[str]) -> list[Path]:
    """Writes every table and view of these schemas to `<folder>/<schema>/<table>.parquet`.

    Args:
        database: a DuckDB file that nobody in this process has open for writing.
        folder: made when it is not there.
        schemas: names of the schemas.

    Returns:
        The files written.
    """
    con = connect(database, read_only=True)
    try:
        written = []
        for relation in relations(con, schemas):
            file = folder / relation.schema / f"{relation.name}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            con.execute(f"copy {relation.as_sql} to ? (format parquet, compression zstd)", [str(file)])
            written.append(file)
        return written
    finally:
        con.close()
