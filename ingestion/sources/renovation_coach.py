"""Renovation coaches: one file per team and ISO week, as our own contract asks."""

from collections.abc import Mapping

import polars as pl

from contracts.sources.renovation_coach import CONTRACT, DOSSIERS, MEASURES, TEAMS
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.spreadsheet import Book, read_book
from ingestion.protocols.weekly_drop import (
    WeeklyName,
    manifest_beside,
    require_rows,
    require_the_rest,
    still_expected,
    weekly_name,
)
from ingestion.source import Source

_KIND = "renovatie"
_FULL = "volledig"
_KEYS = {DOSSIERS.name: ("dossier",), MEASURES.name: ("dossier", "regelnr")}


class RenovationCoach(Source):
    """What the coaches note of their dossiers."""

    def read(self, file: DroppedFile, context: Context) -> Delivery:
        """One week of one team, complete up to the end of that week.

        Raises:
            UnreadableFileError: its name tells no week or team, it does not follow the template, it is not the file of
                its manifest, or more than a tenth of what it should hold is gone.
        """
        name = file.path.name
        said = weekly_name(name, _KIND, TEAMS)
        end = said.end(context.city)
        said.require_begun(name, file.supplied_at, context.city)
        original = original_bytes(file)
        manifest = manifest_beside(file.path, original)
        is_snapshot = manifest.is_snapshot or _FULL in said.words
        book = _book(original, name)
        found = _found(book, said, is_snapshot=is_snapshot)
        require_rows(name, found, manifest.rows)
        if not manifest.fewer_is_right:
            _require_the_rest(found, name, said, context, is_snapshot=is_snapshot)
        return Delivery(
            origin=name,
            tables=_with_the_absent(found),
            supplied_at=file.supplied_at,
            complete_until=end,
            original=original,
            withheld=book.unread,
            is_full=dict.fromkeys(found, is_snapshot),
        )

    def said_by_name(self, name: str) -> str | None:
        """What the name of a file says of its rows; None where it says nothing that is read."""
        try:
            said = weekly_name(name, _KIND, TEAMS)
        except UnreadableFileError:
            return None
        return " ".join((said.week, said.team, *said.words))

    def reread(self, original: bytes, name: str, _: Context) -> dict[str, pl.DataFrame]:
        """The tables in the bytes of an earlier delivery, full only where its name says so."""
        said = weekly_name(name, _KIND, TEAMS)
        return _with_the_absent(_found(_book(original, name), said, is_snapshot=_FULL in said.words))


SOURCE = RenovationCoach()


def _book(original: bytes, name: str) -> Book:
    return read_book(original, name, {table.name: table.received for table in CONTRACT.tables})


def _found(book: Book, said: WeeklyName, *, is_snapshot: bool) -> dict[str, pl.DataFrame]:
    """The tables that are in the file; a pair of CSV files brings one table each."""
    added = (
        pl.lit(said.week).alias("week"),
        pl.lit(said.team).alias("bestand_team"),
        pl.lit("ja" if is_snapshot else "nee").alias(_FULL),
        # a spreadsheet forgets the zeros before a number, and the next one does not
        pl.col("dossier").str.strip_chars().str.replace(r"^0+(\d)", "$1"),
    )
    return {table: frame.with_columns(added) for table, frame in book.tables.items()}


def _with_the_absent(found: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {table.name: found.get(table.name, table.received.no_rows()) for table in CONTRACT.tables}


def _require_the_rest(
    found: Mapping[str, pl.DataFrame], name: str, said: WeeklyName, context: Context, *, is_snapshot: bool
) -> None:
    for table in CONTRACT.tables:
        if table.name in found:
            try:
                known = context.rows(CONTRACT.name, table.name)
            except LookupError:
                continue
            landed_key = [column for column in table.key if column != "team"]
            expected = still_expected(known, said, landed_key, is_snapshot=is_snapshot)
            delivered = found[table.name].select(_KEYS[table.name]).n_unique()
            require_the_rest(name, delivered, expected, table.name)
