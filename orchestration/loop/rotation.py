"""A new key for the pseudonyms: what was made with the old one is made again, and still joins with what comes.

Belongs here: which batches hold pseudonyms of an older key, and their replacement. How a pseudonym is made is
the door's affair.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from contracts.gate import WHY, Split
from contracts.vocabulary import LINE, SourceContract, TableContract
from ingestion.door import Admitted, KeyRing
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.passage import Passed, arrival_of, recognisable_as, sent_before
from orchestration.secrets import add_key
from orchestration.settings import Settings
from warehouse.batch import KNOWN_AT, Arrival, Manifest
from warehouse.lake import Lake

_OF_EVERY_ROW = (LINE, *WHY, KNOWN_AT)
_MIXED = 2


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
    contracts = _with_pseudonyms(settings)
    with _nobody_lands(settings, contracts):
        lake = Lake(settings.layout.lake)
        lake.sweep()
        ring = settings.pseudonym_keys()
        if not _to_do(lake, contracts, ring):
            ring = add_key(settings.pseudonym_key_file)
        for manifest in _to_do(lake, contracts, ring):
            yield _Rotation(lake, manifest, contracts[manifest.source], ring).commit(now)


def finish_rotation(settings: Settings, now: datetime) -> list[Rotated]:
    """Goes on with a rotation that was killed half way; one that still runs is waited for.

    Until it is finished the dwellings of some batches do not join with those of others. A batch whose key is not
    in the ring is left as it is: it joins with nothing, whatever is done.

    Returns:
        What was made again; empty when no rotation was left unfinished.
    """
    began = time.monotonic()
    contracts, lake = _with_pseudonyms(settings), Lake(settings.layout.lake)
    if not _is_unfinished(settings, lake, contracts):
        return []
    with _nobody_lands(settings, contracts):
        ring = settings.pseudonym_keys()
        # what landed while this waited must not seem newer than what replaces it
        moment = now + timedelta(seconds=time.monotonic() - began)
        known = [manifest for manifest in _to_do(lake, contracts, ring) if ring.holds(manifest.key_id)]
        return [_Rotation(lake, manifest, contracts[manifest.source], ring).commit(moment) for manifest in known]


def _is_unfinished(settings: Settings, lake: Lake, contracts: Mapping[str, SourceContract]) -> bool:
    """Whether the lake holds two keys and something can be done about it: nobody waits for what cannot be mended."""
    keys = {manifest.key_id for name in contracts for manifest in lake.live(name)} - {None}
    # a profile that holds no pseudonyms yet needs no key
    if len(keys) < _MIXED:
        return False
    ring = settings.pseudonym_keys()
    return any(ring.holds(key) and key != ring.key_id for key in keys)


def _with_pseudonyms(settings: Settings) -> dict[str, SourceContract]:
    return {name: each for name, each in sorted(settings.contracts().items()) if _purposes(each)}


@contextmanager
def _nobody_lands(settings: Settings, contracts: Mapping[str, SourceContract]) -> Iterator[None]:
    with ExitStack() as locks:
        for contract in contracts.values():
            locks.enter_context(one_at_a_time(settings, contract.name))
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
        received = {table.name: self._received(table) for table in self._tables}
        made = self.lake.commit(self._arrival(received), now)
        return Rotated(
            source=self.contract.name,
            replaced=self.manifest.batch_id,
            batch_id=made.batch_id,
            old_key_id=self.manifest.key_id or "",
            new_key_id=self.ring.key_id,
            pseudonyms=sum(_filled(self.contract.table(name), frame) for name, frame in received.items()),
        )

    @property
    def _tables(self) -> list[TableContract]:
        """What the contract still promises: what it no longer lets in is not made again."""
        return [table for table in self.contract.tables if table.name in self.manifest.tables]

    def _arrival(self, received: dict[str, pl.DataFrame]) -> Arrival:
        manifest = self.manifest
        passed = Passed(
            self.contract,
            sent_before(manifest, received),
            Admitted(received, dict(manifest.dropped_columns), manifest.redactions, self.ring.key_id),
            {table.name: self._split(table) for table in self._tables},
        )
        known = {name: table.recognised for name, table in manifest.tables.items()}
        arrival = arrival_of(passed, recognisable_as(self.lake, manifest, received), known, manifest)
        # what was said of it under the contract of then stays said
        return replace(
            arrival,
            contract_version=manifest.contract_version,
            complete_until=manifest.complete_until,
            is_refused=manifest.is_refused,
        )

    def _received(self, table: TableContract) -> pl.DataFrame:
        received = self.lake.read(self.manifest, table.name, "received")
        return self._renewed(_only(received, table.received.columns), table.received.pseudonyms)

    def _split(self, table: TableContract) -> Split:
        """What the gate said of the rows stays said: today's contract may say something else."""
        counted, wire = self.manifest.tables[table.name], table.received.pseudonyms
        read_from = {column.name: column.wire for column in table.columns}
        typed = {name: wire[received] for name, received in read_from.items() if received in wire}
        accepted = _only(self.lake.read(self.manifest, table.name, "accepted"), list(table.schema))
        refused = _only(self.lake.read(self.manifest, table.name, "quarantine"), table.received.columns)
        return Split(
            counted.received,
            self._renewed(accepted, typed),
            self._renewed(refused, wire),
            counted.duplicate,
            counted.superseded,
            counted.clamped,
            counted.noted,
        )

    def _renewed(self, frame: pl.DataFrame, purposes: Mapping[str, str]) -> pl.DataFrame:
        for column, purpose in purposes.items():
            if column in frame.columns:
                old = frame[column].drop_nulls().unique().to_list()
                new = [self.ring.pseudonym_once(each, purpose, self.manifest.key_id) for each in old]
                frame = frame.with_columns(pl.col(column).replace(old, pl.Series(new, dtype=pl.String)))
        return frame


def _only(rows: pl.DataFrame, columns: Collection[str]) -> pl.DataFrame:
    """Rows without what the contract no longer names."""
    return rows.select(name for name in rows.columns if name in {*columns, *_OF_EVERY_ROW})


def _filled(table: TableContract, received: pl.DataFrame) -> int:
    names = [name for name in table.received.pseudonyms if name in received.columns]
    return sum(received[name].count() for name in names)
