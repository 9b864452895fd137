"""A file that is our own empty template, filled: one table, of which a delivery holds all that its supplier says.

Belongs here: how such a file becomes a delivery. Does not belong here: reading it (`protocols.spreadsheet`), or what a
source adds to its rows.
"""

import polars as pl

from contracts.vocabulary import TableContract
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.spreadsheet import Book, read_book
from ingestion.source import Source


class TemplateFile(Source):
    """A source that takes a filled template.

    Attributes:
        table: the one that is filled.
    """

    table: TableContract

    def read(self, file: DroppedFile, context: Context) -> Delivery:
        """All of the file; it speaks until it was supplied.

        Raises:
            UnreadableFileError: it does not follow the template.
        """
        original = original_bytes(file)
        book = self._book(original, file.path.name)
        return Delivery(
            origin=file.path.name,
            tables=self._tables(book, context),
            supplied_at=file.supplied_at,
            complete_until=file.supplied_at,
            original=original,
            withheld=book.unread,
        )

    def reread(self, original: bytes, name: str, context: Context) -> dict[str, pl.DataFrame]:
        """The table in the bytes of an earlier delivery."""
        return self._tables(self._book(original, name), context)

    def filled(self, rows: pl.DataFrame, context: Context) -> pl.DataFrame:  # noqa: ARG002 - asks nothing
        """The rows, with what the source knows of them."""
        return rows

    def _book(self, original: bytes, name: str) -> Book:
        return read_book(original, name, {self.table.name: self.table.received})

    def _tables(self, book: Book, context: Context) -> dict[str, pl.DataFrame]:
        return {name: self.filled(rows, context) for name, rows in book.tables.items()}
