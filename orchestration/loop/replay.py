"""Run the door and the gate again over what was received, without asking the supplier.

Belongs here: what replaces a batch under today's contract. Does not belong here: getting the rows out of what was
replaced (`erasing`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import polars as pl

from contracts.gate import CODES, COLUMNS, REASONS_NL, Split
from contracts.vocabulary import SourceContract
from ingestion.door import Admitted, readmit
from orchestration.loop.context import context_of
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.passage import Entered, Passage, Passed, commit, recognisable_as, sent_before
from orchestration.settings import Settings
from warehouse.batch import KNOWN_AT, Manifest
from warehouse.lake import Lake


class UnknownBatchError(LookupError):
    """The lake holds no such batch."""


def replay(settings: Settings, batch_id: str, now: datetime) -> Manifest | None:
    """Commits `<id>.r<n>`, which supersedes the batch.

    Returns:
        The new manifest, or None when today's contract gives the same rows.

    Raises:
        UnknownBatchError: no live batch has that id.
        KeyMissingError: the key of its pseudonyms is not in the ring.
    """
    lake = Lake(settings.layout.lake)
    contract = settings.contracts()[_live(lake, batch_id).source]
    with one_at_a_time(settings, contract.name):
        return replayed(settings, contract, batch_id, now)


def replayed(settings: Settings, contract: SourceContract, batch_id: str, now: datetime) -> Manifest | None:
    """See `replay`; for whoever holds the lock of the source already."""
    # only what holds now: a rotation of the key may have replaced it meanwhile
    lake = Lake(settings.layout.lake)
    manifest = _live(lake, batch_id)
    passed = pass_again(settings, lake, manifest, contract)
    if _same(lake, manifest, passed.splits) and _keeps_the_same(lake, manifest, passed):
        return None
    return commit(passed, lake, now, recognisable_as(lake, manifest, passed.admitted.tables), manifest)


def _live(lake: Lake, batch_id: str) -> Manifest:
    for manifest in lake.live():
        if manifest.batch_id == batch_id:
            return manifest
    raise UnknownBatchError(f"no live batch {batch_id}; `ademruimte batches` lists them")


def pass_again(settings: Settings, lake: Lake, manifest: Manifest, contract: SourceContract) -> Passed:
    """What was kept of a delivery, through today's door and gate."""
    passage = Passage(contract, context_of(settings, lake), settings.pseudonym_keys)
    return passage.judge(_enter_again(passage, lake, manifest))


def _enter_again(passage: Passage, lake: Lake, manifest: Manifest) -> Entered:
    """The supplier's own file through today's door; or the text of it, which passed that of then."""
    contract, original = passage.contract, lake.original(manifest)
    if original is not None:
        name, content = original
        return passage.enter(sent_before(manifest, passage.reread(content, name), content))
    tables, told = passage.revise(_kept(lake, manifest, contract))
    kept = Admitted(dict(tables), dict(manifest.dropped_columns), manifest.redactions, manifest.key_id)
    withheld = dict(Counter(manifest.withheld) + Counter(told))
    delivery = replace(sent_before(manifest, tables), withheld=withheld)
    return Entered(contract, delivery, readmit(kept, contract, passage.ring()))


def _kept(lake: Lake, manifest: Manifest, contract: SourceContract) -> dict[str, pl.DataFrame]:
    tables = {name: lake.read(manifest, name, "received") for name in manifest.tables}
    # of a table that an older contract did not have yet nothing was received
    return {table.name: table.received.no_rows() for table in contract.tables} | tables


def _same(lake: Lake, manifest: Manifest, splits: Mapping[str, Split]) -> bool:
    return manifest.tables.keys() <= splits.keys() and all(
        lake.read(manifest, name, "accepted").drop(KNOWN_AT, strict=False).equals(split.accepted)
        and _refused(lake.read(manifest, name, "quarantine")).equals(_refused(split.quarantined))
        if name in manifest.tables
        else split.received == 0
        for name, split in splits.items()
    )


def _keeps_the_same(lake: Lake, manifest: Manifest, passed: Passed) -> bool:
    """Whether what was kept of the delivery is what would be kept today."""
    if manifest.original is not None:
        return passed.may_keep_its_file
    tables = passed.admitted.tables
    return all(lake.read(manifest, name, "received").equals(tables[name]) for name in manifest.tables)


def _refused(quarantined: pl.DataFrame) -> pl.DataFrame:
    """With the English of its reasons alone: another sentence is no other fate, and older batches hold no more."""
    return quarantined.drop(CODES, COLUMNS, REASONS_NL, strict=False)
