"""A new key for the pseudonyms: what was made with the old one is made again, and still joins with what comes.

Belongs here: which batches hold pseudonyms of an older key, and their replacement. How a pseudonym is made is
the door's affair.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from contracts.gate import Split
from contracts.vocabulary import SourceContract, TableContract
from ingestion.door import KeyRing
from orchestration.loop.landing import content_sha256, one_at_a_time
from orchestration.secrets import add_key
from orchestration.settings import Settings
from warehouse.lake import Arrival, Lake, Manifest


@dataclass(frozen=True, slots=True)
class Rotated:
    """A batch that was made again under the newest key.

    Attributes:
        batch_id: the new batch, which supersedes the old one.
        pseudonyms: how many cells of what was received hold one.
    """

    source: str
    replaced: str
    batch_id: str
    old_key_id: str
    new_key_id: str
    pseudonyms: int


def rotate(settings: Settings, now: datetime) -> Iterator[Rotated]:
    """Puts a new key in the ring and makes every live batch with pseudonyms again, one after the other.

    Nothing of a source with pseudonyms lands meanwhile. Killed in between, the next call adds no key but goes
    on with the batches that are still of an older one.

    Raises:
        KeyMissingError: a batch was made with a key that is not in the ring.
        DiskFullError: a batch might not fit; those before it are done.
    """
    settings.layout.create()
    contracts = {name: each for name, each in sorted(settings.contracts().items()) if _purposes(each)}
    with _nobody_lands(settings, contracts):
        lake = Lake(settings.layout.lake)
        lake.sweep()
        ring = settings.pseudonym_keys()
        if not _to_do(lake, contracts, ring):
            ring = add_key(settings.pseudonym_key_file)
        for manifest in _to_do(lake, contracts, ring):
            yield _Rotation(lake, manifest, contracts[manifest.source], ring).commit(now)


@contextmanager
def _nobody_lands(settings: Settings, contracts: Mapping[str, SourceContract]) -> Iterator[None]:
    with ExitStack() as locks:
        for contract in contracts.values():
            locks.enter_context(one_at_a_time(settings, contract))
        yield


def _purposes(contract: SourceContract) -> dict[str, Mapping[str, str]]:
    """By table the columns with pseudonyms; empty where the source has none."""
    return {table.name: table.received.pseudonyms for table in contract.tables if table.received.pseudonyms}


def _to_do(lake: Lake, contracts: Mapping[str, SourceContract], ring: KeyRing) -> list[Manifest]:
    """The live batches whose pseudonyms are not of the newest key."""
    live = (manifest for name in contracts for manifest in lake.live(name))
    return [manifest for manifest in live if manifest.key_id not in (None, ring.key_id)]


@dataclass(frozen=True, slots=True)
class _Rotation:
    """One batch and what it takes to make it again."""

    lake: Lake
    manifest: Manifest
    contract: SourceContract
    ring: KeyRing

    def commit(self, now: datetime) -> Rotated:
        received = {name: self._received(self.contract.table(name)) for name in self.manifest.tables}
        made = self.lake.commit(self._arrival(received), now)
        return Rotated(
            source=self.contract.name,
            replaced=self.manifest.batch_id,
            batch_id=made.batch_id,
            old_key_id=self.manifest.key_id or "",
            new_key_id=self.ring.key_id,
            pseudonyms=sum(_filled(self.contract.table(name), frame) for name, frame in received.items()),
        )

    def _arrival(self, received: Mapping[str, pl.DataFrame]) -> Arrival:
        manifest = self.manifest
        return Arrival(
            source=manifest.source,
            origin=manifest.origin,
            supplied_at=manifest.supplied_at,
            complete_until=manifest.complete_until,
            content_sha256=self._recognisable(received),
            contract_version=manifest.contract_version,
            key_id=self.ring.key_id,
            received=received,
            original=None,
            splits={name: self._split(self.contract.table(name)) for name in manifest.tables},
            dropped_columns=manifest.dropped_columns,
            redactions=manifest.redactions,
            withheld=manifest.withheld,
            supersedes=manifest.batch_id,
            known_at=manifest.known_at,
            event_dates={table.name: table.event_date for table in self.contract.tables},
            recognised={name: table.recognised for name, table in manifest.tables.items()},
        )

    def _received(self, table: TableContract) -> pl.DataFrame:
        return self._renewed(self.lake.read(self.manifest, table.name, "received"), table.received.pseudonyms)

    def _split(self, table: TableContract) -> Split:
        """What the gate said of the rows stays said: today's contract may say something else."""
        counted, wire = self.manifest.tables[table.name], table.received.pseudonyms
        read_from = {column.name: column.reads or column.name for column in table.columns}
        typed = {name: wire[received] for name, received in read_from.items() if received in wire}
        return Split(
            counted.received,
            self._renewed(self.lake.read(self.manifest, table.name, "accepted"), typed),
            self._renewed(self.lake.read(self.manifest, table.name, "quarantine"), wire),
            counted.duplicate,
            counted.superseded,
        )

    def _renewed(self, frame: pl.DataFrame, purposes: Mapping[str, str]) -> pl.DataFrame:
        for column, purpose in purposes.items():
            if column in frame.columns:
                old = frame[column].drop_nulls().unique().to_list()
                new = [self.ring.renewed(each, purpose, self.manifest.key_id or "") for each in old]
                frame = frame.with_columns(pl.col(column).replace(old, pl.Series(new, dtype=pl.String)))
        return frame

    def _recognisable(self, received: Mapping[str, pl.DataFrame]) -> str:
        """A pull is recognised by what came through the door, which now looks different; a file by its bytes."""
        sha256 = self.manifest.content_sha256
        before = {name: self.lake.read(self.manifest, name, "received") for name in received}
        return content_sha256(received) if content_sha256(before) == sha256 else sha256


def _filled(table: TableContract, received: pl.DataFrame) -> int:
    names = [name for name in table.received.pseudonyms if name in received.columns]
    return sum(received[name].count() for name in names)
