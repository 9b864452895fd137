"""Register of buildings: one file that holds all of it, kept by whoever manages the buildings."""

import polars as pl

from contracts.sources.buildings import CONNECTIONS
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.spreadsheet import Book, read_book
from ingestion.source import Source

_NO = ("nee", "false", "0")


class Buildings(Source):
    """The register of buildings."""

    def read(self, file: DroppedFile, _: Context) -> Delivery:
        """The whole register as one file has it; it speaks until it was supplied.

        Raises:
            UnreadableFileError: it does not follow the template.
        """
        original = original_bytes(file)
        book = _book(original, file.path.name)
        return Delivery(
            origin=file.path.name,
            tables=_tables(book),
            supplied_at=file.supplied_at,
            complete_until=file.supplied_at,
            original=original,
            withheld=book.unread,
        )

    def reread(self, original: bytes, name: str, _: Context) -> dict[str, pl.DataFrame]:
        """The tables in the bytes of an earlier delivery; the name beside a dwelling is written nowhere."""
        return _tables(_book(original, name))


SOURCE = Buildings()


def _book(original: bytes, name: str) -> Book:
    return read_book(original, name, {CONNECTIONS.name: CONNECTIONS.received})


def _tables(book: Book) -> dict[str, pl.DataFrame]:
    # who lives there, or the address: kept only beside a plain no
    is_no_dwelling = pl.col("is_woning").str.strip_chars().str.to_lowercase().is_in(_NO)
    named = pl.when(is_no_dwelling).then(pl.col("naam")).alias("naam")
    return {name: rows.with_columns(named) for name, rows in book.tables.items()}
