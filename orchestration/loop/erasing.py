"""Erase the rows of batches that were replaced, while nobody reads or makes them.

Belongs here: what must be held meanwhile. Does not belong here: how a lake forgets (`warehouse.erasures`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from orchestration.loop.build import build_lock
from orchestration.loop.locks import one_at_a_time
from orchestration.loop.replay import UnknownBatchError
from orchestration.settings import Settings
from warehouse.batch import Manifest
from warehouse.erasures import erase as erase_rows
from warehouse.lake import Lake
from warehouse.state import State


def erase(settings: Settings, batch_ids: Sequence[str], now: datetime) -> Iterator[Manifest]:
    """Removes every row of batches that others replaced; their manifests stay, so that nothing else changes.

    No build reads them meanwhile, and no landing, replay or rotation of their source runs.

    Raises:
        UnknownBatchError: no batch has one of those ids; nothing was erased.
        LakeError: nothing replaced a batch, so its rows count; those before it are erased.
        BuildBusyError: a build runs.
    """
    known = {manifest.batch_id: manifest for manifest in Lake(settings.layout.lake).manifests()}
    for batch_id in batch_ids:
        if batch_id not in known:
            raise UnknownBatchError(f"no batch {batch_id}; `ademruimte batches` lists them")
    with build_lock(settings), State(settings.layout.state) as state:
        for manifest in map(known.__getitem__, batch_ids):
            # by name: of a source that nobody promises any more, rows must be erased most of all
            with one_at_a_time(settings, manifest.source):
                erase_rows(Lake(settings.layout.lake), state, manifest, now)
            yield manifest
