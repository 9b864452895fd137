"""A build as Parquet, one file per table, for readers without DuckDB, and for the pipeline: nobody locks it."""

import shutil
from collections.abc import Collection
from pathlib import Path

import polars as pl

from warehouse.frames import read_frame
from warehouse.published.contents import Contents
from warehouse.published.files import Before
from warehouse.published.pointer import PARQUET, folder_of


class ParquetFiles:
    """`<build>/parquet/<schema>/<table>.parquet`; a table that did not change is the same file under one more name."""

    def write(self, contents: Contents, folder: Path, before: Before | None) -> Collection[str]:
        """See `Form.write`."""
        written = []
        for table in contents.tables:
            file = _file(folder, table.schema, table.name)
            file.parent.mkdir(parents=True, exist_ok=True)
            known = before.whole(f"{PARQUET}/{table.schema}/{table.name}.parquet") if before else None
            if before is None or known is None or not before.holds(table):
                contents.con.execute(f"copy ({table.select}) to ? (format parquet, compression zstd)", [str(file)])
                written.append(table.full_name)
            else:
                _name_again(known, file)
        return written


def read_table(published: Path, build_id: str, table: str) -> pl.DataFrame:
    """A table of a published build, as `schema.table`; whatever its readers do with the DuckDB file beside it."""
    schema, _, name = table.partition(".")
    return read_frame(_file(folder_of(published, build_id), schema, name))


def _file(build: Path, schema: str, name: str) -> Path:
    return build / PARQUET / schema / f"{name}.parquet"


def _name_again(known: Path, file: Path) -> None:
    try:
        file.hardlink_to(known)
    except OSError:
        # a share that knows no links, or a file that has all the names it may have
        shutil.copy2(known, file)
