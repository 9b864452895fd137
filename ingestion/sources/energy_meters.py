"""Energy meters: files exported from Mijn Fluvius and dropped by hand or by a robot."""

import polars as pl

from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.fluvius_csv import read_export


def read(file: DroppedFile, context: Context) -> Delivery:
    """One export; up to where it speaks, its rows say.

    Raises:
        UnreadableFileError: it is no Mijn Fluvius export.
    """
    original = original_bytes(file)
    return Delivery(
        origin=file.path.name,
        tables=reread(original, file.path.name, context),
        supplied_at=file.supplied_at,
        original=original,
    )


def reread(original: bytes, name: str, _: Context) -> dict[str, pl.DataFrame]:
    """The tables in the bytes of an earlier delivery."""
    return {"readings": read_export(original, name)}
