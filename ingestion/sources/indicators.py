"""Indicators: the file that any department can fill and drop."""

import polars as pl

from contracts.sources.indicators import OBSERVATIONS
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.spreadsheet import read_table


def read(file: DroppedFile, context: Context) -> Delivery:
    """One file of observations, complete up to the moment it was supplied.

    Raises:
        UnreadableFileError: it does not follow the template.
    """
    original = original_bytes(file)
    return Delivery(
        origin=file.path.name,
        tables=reread(original, file.path.name, context),
        supplied_at=file.supplied_at,
        complete_until=file.supplied_at,
        original=original,
    )


def reread(original: bytes, name: str, _: Context) -> dict[str, pl.DataFrame]:
    """The tables in the bytes of an earlier delivery."""
    return {OBSERVATIONS.name: read_table(original, name, OBSERVATIONS.received)}
