"""What every delivery passes, at a check, at its landing and at a replay: its supplier's clock, the door, the gate.

Belongs here: that passage, by what a delivery is recognised, and the batch that is made of one that passed. Does not
belong here: which deliveries there are (`landing`), or why one passes again (`replay`, `rotation`).
"""

import hashlib
import sqlite3
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from contracts.faults import SchemaFaultError
from contracts.gate import Split, split
from contracts.vocabulary import LINE, Delivers, Sensitivity, SourceContract, TableContract
from ingestion.clocks import not_past
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.door import Admitted, KeyMissingError, KeyRing, admit, without_identifiers
from ingestion.endpoint import Endpoint
from ingestion.errors import PermanentSupplierError, SupplierError, TransientSupplierError
from ingestion.source import Source, Tables, asked_source, source_named
from orchestration.loop.dropped import shown_name
from orchestration.loop.earlier import recognised, with_known_at
from warehouse.batch import Arrival, LakeError, Manifest
from warehouse.lake import Lake

NOT_ITS_FAULT = (OSError, MemoryError, LakeError, sqlite3.Error, KeyMissingError)
"""The disk, the memory, the lake, the state or the ring of keys is at fault, and may be well again at the next try."""

_CLOCKS_DIFFER = timedelta(days=1)
_LONGEST_WHY = 300
_MOST_READ = 10_000


class UnforeseenError(PermanentSupplierError):
    """A reader, the door or the gate tripped over what nobody foresaw: what trips over it today will again."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A delivery past its supplier's clock and the door."""

    contract: SourceContract
    delivery: Delivery
    admitted: Admitted

    @property
    def content_sha256(self) -> str:
        """By what a pull is recognised; a file is by its bytes."""
        return content_sha256(self.admitted.tables)

    @property
    def brings_nothing(self) -> bool:
        """Whether it tells changes and there are none; an empty snapshot says that everything is gone."""
        changes = all(table.delivers is Delivers.CHANGES for table in self.contract.tables)
        return changes and all(frame.is_empty() for frame in self.admitted.tables.values())

    def is_held_in(self, lake: Lake, batch: Manifest) -> bool:
        """Whether a batch holds what the supplier sent, whatever we noted of its delivery."""
        theirs = {table.name: self.admitted.tables[table.name] for table in self.contract.tables if not table.is_ours}
        return all(
            rows.is_empty() if name not in batch.tables else lake.read(batch, name, "received").equals(rows)
            for name, rows in theirs.items()
        )


@dataclass(frozen=True, slots=True)
class Passed(Entered):
    """A delivery past the gate too: what a batch, and the report of a check, is made of.

    Attributes:
        splits: per table what became of its rows.
    """

    splits: Mapping[str, Split]

    @property
    def is_refused_whole(self) -> bool:
        """Whether the supplier's rows came in and every one was refused."""
        theirs = [self.splits[table.name] for table in self._tables if not table.is_ours]
        has_rows = any(each.received for each in theirs)
        return has_rows and not self.delivery.withheld and all(each.accepted.is_empty() for each in theirs)

    @property
    def may_keep_its_file(self) -> bool:
        """Whether nothing in it is about persons; a source that was not about them once may be now."""
        return self.contract.sensitivity is not Sensitivity.PERSONAL and self.admitted.is_as_sent

    @property
    def complete_until(self) -> datetime | None:
        """Up to where it speaks: never past the moment it was supplied, whatever a row or a name says."""
        spoken = self.delivery.complete_until or self._rows_speak_until()
        return min(spoken, self.delivery.supplied_at) if spoken else None

    @property
    def _tables(self) -> list[TableContract]:
        """What it was asked for: a batch of an older contract may not have had every table."""
        return [table for table in self.contract.tables if table.name in self.splits]

    def _rows_speak_until(self) -> datetime | None:
        """For a supplier that does not say it."""
        named = [(table.name, table.speaks_until) for table in self._tables if table.speaks_until]
        spoken = [self.splits[name].accepted[column].max() for name, column in named]
        return max((moment for moment in spoken if isinstance(moment, datetime)), default=None)


@dataclass(frozen=True, slots=True)
class Passage:
    """What the deliveries of a source are held against on their way.

    Attributes:
        context: what the source may know; the clock in it is held beside the supplier's.
        ring: the keys of the pseudonyms, asked for where the door needs them.
        is_for_its_sender: see `ingestion.door.admit`.
    """

    contract: SourceContract
    context: Context
    ring: Callable[[], KeyRing]
    is_for_its_sender: bool = False

    @property
    def source(self) -> Source:
        """How the supplier speaks."""
        return source_named(self.contract.name)

    def read(self, file: DroppedFile) -> Delivery:
        """A dropped file as its source reads it, under a name that may be shown."""
        with self._of_the_delivery():
            delivery = self.source.read(file, self.context)
        return replace(delivery, origin=shown_name(file.path))

    def fetch(self, endpoint: Endpoint) -> Delivery:
        """What the supplier of the source answers."""
        with self._of_the_delivery():
            return asked_source(self.contract.name).fetch(endpoint, self.context)

    def reread(self, original: bytes, name: str) -> Tables:
        """The tables in a file that was kept, as its source reads it today."""
        with self._of_the_delivery():
            return self.source.reread(original, name, self.context)

    def revise(self, kept: Tables) -> tuple[Tables, Mapping[str, int]]:
        """The text that was kept, with what the city's own registers say of it today; most sources ask none."""
        return self.source.revise(kept, self.context)

    def enter(self, delivery: Delivery, *, is_dropped: bool = False) -> Entered:
        """Holds the supplier's clock beside ours, and lets in at the door what the contract names.

        Raises:
            TransientSupplierError: its moment has yet to come.
            TooPersonalError: it was dropped, and too much of it names persons.
            KeyMissingError: the ring of keys is not whole.
        """
        self._require_a_clock(delivery)
        with self._of_the_delivery():
            admitted = admit(
                delivery,
                self.contract,
                self.ring(),
                is_dropped=is_dropped,
                is_for_its_sender=self.is_for_its_sender,
            )
        return Entered(self.contract, delivery if is_dropped else self._at_our_time(delivery), admitted)

    def judge(self, entered: Entered) -> Passed:
        """Runs the gate over every table.

        Raises:
            SchemaFaultError: it is not the table it claims to be.
        """
        tables, supplied_at = entered.admitted.tables, entered.delivery.supplied_at
        with self._of_the_delivery():
            titles = entered.delivery.titles
            splits = {
                table.name: split(tables[table.name], table, self.context.city, supplied_at, titles.get(table.name))
                for table in self.contract.tables
            }
        return Passed(entered.contract, entered.delivery, entered.admitted, splits)

    def _require_a_clock(self, delivery: Delivery) -> None:
        """A supplier's time far ahead would outdate every later delivery, and keep the source fresh until then."""
        now = self.context.now()
        if now is not None and delivery.supplied_at > now + _CLOCKS_DIFFER:
            raise TransientSupplierError(
                "time_to_come", delivery.origin, moment=f"{delivery.supplied_at:%Y-%m-%d %H:%M}"
            )

    def _at_our_time(self, delivery: Delivery) -> Delivery:
        """A clock that is set right would make later deliveries seem older than one that ran ahead."""
        supplied_at = not_past(delivery.supplied_at, self.context.now())
        spoken = delivery.complete_until and not_past(delivery.complete_until, supplied_at)
        return replace(delivery, supplied_at=supplied_at, complete_until=spoken)

    @contextmanager
    def _of_the_delivery(self) -> Iterator[None]:
        """What breaks in here is the delivery's own fault."""
        try:
            yield
        except MemoryError:
            raise PermanentSupplierError("too_much_memory") from None
        except (SupplierError, SchemaFaultError, *NOT_ITS_FAULT):
            raise
        except Exception as broken:
            raise UnforeseenError("unforeseen", why=what_broke(broken, self.contract)) from broken


def what_broke(broken: Exception, contract: SourceContract) -> str:
    """What broke, as far as it may be told: nobody knows what a stranger's exception quotes of a person."""
    if contract.sensitivity is Sensitivity.PERSONAL and not isinstance(broken, OSError | LakeError | KeyMissingError):
        *_, last = traceback.extract_tb(broken.__traceback__)
        return f"{type(broken).__name__} in {Path(last.filename).name} line {last.lineno}"
    # cut last: half an address is no longer known for one
    return without_identifiers(f"{type(broken).__name__}: {broken}"[:_MOST_READ])[:_LONGEST_WHY]


def sent_before(manifest: Manifest, tables: Tables, original: bytes | None = None) -> Delivery:
    """The delivery of which a batch was made, with what its manifest says of it."""
    is_file = "://" not in manifest.origin
    return Delivery(
        # an earlier version kept more of the name of a file
        origin=shown_name(Path(manifest.origin)) if is_file else manifest.origin,
        tables=tables,
        supplied_at=manifest.supplied_at,
        complete_until=manifest.complete_until,
        original=original,
        withheld=manifest.withheld,
        is_full=manifest.is_full,
    )


def commit(
    passed: Passed, lake: Lake, now: datetime, content_sha256: str, replaced: Manifest | None = None
) -> Manifest:
    """Makes a batch of what passed, in place of one that it replaces.

    Args:
        passed: the delivery.
        lake: where its batch goes.
        now: when this is.
        content_sha256: by what it will be recognised.
        replaced: a live batch of the same delivery, under earlier rules.
    """
    known_before = replaced.known_at if replaced else None
    known = recognised(lake, passed.contract, passed.splits, known_before)
    if replaced:
        tables = passed.contract.tables
        dated = {each.name: with_known_at(lake, each, passed.splits[each.name], replaced, now) for each in tables}
        passed = replace(passed, splits=dated)
    return lake.commit(arrival_of(passed, content_sha256, known, replaced), now)


def arrival_of(
    passed: Passed,
    content_sha256: str,
    recognised: Mapping[str, int] | None = None,
    replaced: Manifest | None = None,
) -> Arrival:
    """What is committed of a delivery that passed; see `commit`."""
    contract, delivery, admitted = passed.contract, passed.delivery, passed.admitted
    original = delivery.original if passed.may_keep_its_file else None
    return Arrival(
        source=contract.name,
        origin=delivery.origin,
        supplied_at=delivery.supplied_at,
        complete_until=passed.complete_until,
        content_sha256=content_sha256,
        contract_version=contract.version,
        key_id=admitted.key_id,
        received=admitted.tables,
        original=None if original is None else (delivery.origin, original),
        splits=passed.splits,
        dropped_columns=admitted.dropped_columns,
        redactions=admitted.redactions,
        event_dates={table.name: table.event_date for table in contract.tables},
        withheld=delivery.withheld,
        supersedes=replaced.batch_id if replaced else None,
        recognised=recognised or {},
        is_full=delivery.is_full,
        # rows that counted and are refused now do say something: they count no more
        is_refused=(replaced is None or replaced.is_refused) and passed.is_refused_whole,
    )


def recognisable_as(lake: Lake, manifest: Manifest, received: Mapping[str, pl.DataFrame]) -> str:
    """The hash of a batch that is made again.

    A pull is recognised by what came through the door, which may look different now; a file by its bytes.
    """
    if manifest.original is not None:
        return manifest.content_sha256
    before = {name: lake.read(manifest, name, "received") for name in manifest.tables}
    is_pulled = content_sha256(before) == manifest.content_sha256
    return content_sha256(received) if is_pulled else manifest.content_sha256


def content_sha256(tables: Mapping[str, pl.DataFrame]) -> str:
    """A hash of what was received, whatever the order of the pages."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        content = tables[name].drop(LINE)
        digest.update(name.encode())
        digest.update(content.select(sorted(content.columns)).sort(pl.all()).write_csv().encode())
    return digest.hexdigest()
