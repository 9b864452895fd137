"""Parquet files of ours, each read by its very path: a folder `batch=<id>` is a name and not a column."""

from pathlib import Path

import polars as pl


def read_frame(path: Path) -> pl.DataFrame:
    """The rows of a file."""
    return pl.read_parquet(path, hive_partitioning=False, glob=False)


def scan_frame(path: Path) -> pl.LazyFrame:
    """The rows of a file, read once somebody collects them."""
    return pl.scan_parquet(path, hive_partitioning=False, glob=False)


def with_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows where what an earlier version kept as a list of texts is one text, as it is now."""
    lists = [name for name, kind in rows.schema.items() if kind == pl.List(pl.String)]
    return rows.with_columns(pl.col(lists).list.join("; ").replace("", None))
