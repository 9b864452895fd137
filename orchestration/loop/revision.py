"""What a register that just landed no longer allows to keep of other sources.

Belongs here: which batches hold it, and their replay. Does not belong here: what may be kept (the source module
says), or removing it from the disk, which a person decides (`ademruimte erase`).
"""

from collections.abc import Iterator
from datetime import datetime

import polars as pl

from contracts.vocabulary import SourceContract
from ingestion.source import source_named
from orchestration.loop.context import context_of
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.replay import replayed
from orchestration.settings import Settings
from warehouse.batch import LakeError, Manifest
from warehouse.frames import scan_frame
from warehouse.lake import Lake


def revise(settings: Settings, register: SourceContract, now: datetime) -> str:
    """Replays every batch that holds what a register forbids today, so that it counts nowhere.

    What they replace still lies in the lake: a register may be wrong, and what is erased does not come back.

    Returns:
        What the data team must do, to stand behind the message of the landing; empty when nothing.
    """
    asking = [each for _, each in sorted(settings.contracts().items()) if register.name in each.registers]
    left = [manifest.batch_id for contract in asking for manifest in _revised(settings, contract, now)]
    if not left:
        return ""
    return (
        f"; earlier batches held more of a dwelling than its months and were replayed: look whether the register is "
        f"right, then run `ademruimte erase {' '.join(left)}`"
    )


def _revised(settings: Settings, contract: SourceContract, now: datetime) -> list[Manifest]:
    """Replays what is live and tells too much.

    Returns:
        What was replaced, now or earlier, and is not erased yet.
    """
    with one_at_a_time(settings, contract.name):
        for manifest in _too_much(settings, contract):
            replayed(settings, contract, manifest.batch_id, now)
    return list(_too_much(settings, contract, live=False))


def _too_much(settings: Settings, contract: SourceContract, *, live: bool = True) -> Iterator[Manifest]:
    """The batches that hold what may not be kept: those that count, or those that were replaced."""
    lake = Lake(settings.layout.lake)
    counting = {manifest.batch_id for manifest in lake.live(contract.name)}
    for manifest in lake.manifests(contract.name):
        is_asked = (manifest.batch_id in counting) is live and not lake.is_erased(manifest)
        if is_asked and _tells_too_much(settings, lake, manifest, contract):
            yield manifest


def _tells_too_much(settings: Settings, lake: Lake, manifest: Manifest, contract: SourceContract) -> bool:
    # a supplier's own file, of before the door looked for persons in it
    if manifest.original is not None:
        return True
    files = {
        table.name: lake.file(manifest, table.name, "received")
        for table in contract.tables
        if table.name in manifest.tables
    }
    # an erasure that was killed took the file and left its folder
    if not all(file.exists() for file in files.values()):
        return False
    kept = {name: scan_frame(file) for name, file in files.items()}
    try:
        return source_named(contract.name).keeps_too_much(kept, context_of(settings, lake))
    except pl.exceptions.PolarsError as broken:
        raise LakeError(f"{contract.name}: batch {manifest.batch_id} cannot be read; restore it") from broken
