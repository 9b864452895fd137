"""Rows that were erased and must stay so, also when a backup brings them back.

Belongs here: the tombstone in the state and what it asks of the lake. Does not belong here: which batch may be
erased (the lake knows what counts), or whose locks are held meanwhile.
"""

from datetime import datetime

from warehouse.batch import Manifest
from warehouse.lake import Lake
from warehouse.state import State


def erase(lake: Lake, state: State, manifest: Manifest, now: datetime) -> None:
    """Erases the rows of a batch that another one supersedes, for good.

    Raises:
        LakeError: nothing supersedes it.
    """
    lake.require_superseded(manifest)
    # the tombstone first: killed in between, the next build finishes it
    state.bury(manifest.source, manifest.batch_id, now)
    lake.erase(manifest)


def erase_again(lake: Lake, state: State) -> tuple[list[Manifest], list[Manifest]]:
    """Erases what a restored backup, or a killed process, left of batches that were erased.

    Returns:
        The batches whose rows were there and are gone, and those of which nothing that replaced them is left: their
        rows count again, so they stay until a replay replaces them.
    """
    buried = {(erasure.source, erasure.batch_id) for erasure in state.buried()}
    if not buried:
        return [], []
    back = [each for each in lake.manifests() if (each.source, each.batch_id) in buried and not lake.is_erased(each)]
    live = {manifest.batch_id for manifest in lake.live()}
    erased = [manifest for manifest in back if manifest.batch_id not in live]
    for manifest in erased:
        lake.erase(manifest)
    return erased, [manifest for manifest in back if manifest.batch_id in live]
