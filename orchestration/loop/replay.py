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
from contracts.vocabulary import LINE, Sensitivity, SourceContract, TableContract
from ingestion.delivery import Context, Delivery
from ingestion.door import Admitted, admit, readmit
from orchestration.loop.earlier import recognised, with_known_at
from orchestration.loop.passage import (
    complete_until,
    context_of,
    is_refused_whole,
    one_at_a_time,
    recognisable_as,
    run_gate,
    source_module,
)
from orchestration.settings import Settings
from warehouse.lake import KNOWN_AT, Arrival, Lake, Manifest


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
    admitted, withheld = _admitted(settings, lake, manifest, contract)
    splits = run_gate(admitted.tables, contract, settings.city, manifest.supplied_at)
    if _same(lake, manifest, splits) and _keeps_the_same(lake, manifest, admitted, contract):
        return None
    arrival = replace(_again(manifest, contract, admitted, splits, lake), withheld=withheld)
    dated = {table.name: with_known_at(lake, table, splits[table.name], manifest, now) for table in contract.tables}
    return lake.commit(replace(arrival, splits=dated), now)


def _live(lake: Lake, batch_id: str) -> Manifest:
    for manifest in lake.live():
        if manifest.batch_id == batch_id:
            return manifest
    raise UnknownBatchError(f"no live batch {batch_id}; `ademruimte batches` lists them")


def _admitted(
    settings: Settings, lake: Lake, manifest: Manifest, contract: SourceContract
) -> tuple[Admitted, Mapping[str, int]]:
    """What was kept of the delivery, through today's door: its own file, or its text, which passed that of then.

    Returns:
        What came through, and by reason how many rows were not let in, then or now.
    """
    original, context = lake.original(manifest), context_of(settings, lake)
    if original is None:
        tables, told = _revised(_kept(lake, manifest, contract), contract, context)
        kept = Admitted(tables, dict(manifest.dropped_columns), manifest.redactions, manifest.key_id)
        withheld = Counter(manifest.withheld) + Counter(told)
        return readmit(kept, contract, settings.pseudonym_keys()), dict(withheld)
    name, content = original
    tables = source_module(contract.name).reread(content, name, context)
    delivery = Delivery(manifest.origin, tables, manifest.supplied_at)
    return admit(delivery, contract, settings.pseudonym_keys()), manifest.withheld


def _kept(lake: Lake, manifest: Manifest, contract: SourceContract) -> dict[str, pl.DataFrame]:
    tables = {name: lake.read(manifest, name, "received") for name in manifest.tables}
    return tables | {table.name: _nothing_of(table) for table in contract.tables if table.name not in tables}


def _revised(
    kept: Mapping[str, pl.DataFrame], contract: SourceContract, context: Context
) -> tuple[dict[str, pl.DataFrame], Mapping[str, int]]:
    """What was kept, with what the city's own registers say of it today; most sources ask none."""
    revised = getattr(source_module(contract.name), "revised", None)
    tables, withheld = revised(kept, context) if revised else (kept, {})
    return dict(tables), withheld


def _nothing_of(table: TableContract) -> pl.DataFrame:
    """What was received of a table that an older contract did not have yet."""
    return pl.DataFrame(schema={**dict.fromkeys(table.received.columns, pl.String), LINE: pl.Int64})


def _same(lake: Lake, manifest: Manifest, splits: Mapping[str, Split]) -> bool:
    return manifest.tables.keys() <= splits.keys() and all(
        lake.read(manifest, name, "accepted").drop(KNOWN_AT, strict=False).equals(split.accepted)
        and _refused(lake.read(manifest, name, "quarantine")).equals(_refused(split.quarantined))
        if name in manifest.tables
        else split.received == 0
        for name, split in splits.items()
    )


def _keeps_the_same(lake: Lake, manifest: Manifest, admitted: Admitted, contract: SourceContract) -> bool:
    """Whether what was kept of the delivery is what would be kept today."""
    if manifest.original is not None:
        return contract.sensitivity is not Sensitivity.PERSONAL
    return all(lake.read(manifest, name, "received").equals(admitted.tables[name]) for name in manifest.tables)


def _refused(quarantined: pl.DataFrame) -> pl.DataFrame:
    """With the English of its reasons alone: another sentence is no other fate, and older batches hold no more."""
    return quarantined.drop(CODES, COLUMNS, REASONS_NL, strict=False)


def _again(
    manifest: Manifest,
    contract: SourceContract,
    admitted: Admitted,
    splits: Mapping[str, Split],
    lake: Lake,
) -> Arrival:
    return Arrival(
        source=manifest.source,
        origin=manifest.origin,
        supplied_at=manifest.supplied_at,
        complete_until=complete_until(manifest.complete_until, splits, contract, manifest.supplied_at),
        content_sha256=recognisable_as(lake, manifest, admitted.tables),
        contract_version=contract.version,
        key_id=admitted.key_id,
        received=admitted.tables,
        # a source that was not about persons when the file was kept may be now
        original=None if contract.sensitivity is Sensitivity.PERSONAL else lake.original(manifest),
        splits=splits,
        dropped_columns=admitted.dropped_columns,
        redactions=admitted.redactions,
        withheld=manifest.withheld,
        supersedes=manifest.batch_id,
        known_at=manifest.known_at,
        event_dates={table.name: table.event_date for table in contract.tables},
        recognised=recognised(lake, contract, splits, known_before=manifest.known_at),
        is_full=manifest.is_full,
        is_refused=manifest.is_refused and is_refused_whole(splits, contract, manifest.withheld),
    )
