"""In which order batches and builds came: by the chain in which each names the one before it, not by any clock.

Belongs here: that chain, and the ids of batches and their replays. Does not belong here: where they lie (`lake`).
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from warehouse.batch import PREFIX, LakeError, Manifest
from warehouse.durable import replace_derived

_REPLAY = re.compile(r"^(?P<first>.+?)(?:\.r(?P<n>\d+))?$")


class Link(NamedTuple):
    """When something was committed by the clock, and after what."""

    committed_at: datetime
    after: str | None


def replay_id(batch_id: str, existing: Sequence[str] = ()) -> str:
    """The id of the next replay of a batch: `<id>.r1`, then `<id>.r2`.

    Args:
        batch_id: the batch, or a replay of it.
        existing: ids of replays that exist already.
    """
    first, _ = id_parts(batch_id)
    taken = [n for name, n in map(id_parts, (batch_id, *existing)) if name == first]
    return f"{first}.r{max(taken) + 1}"


def id_parts(batch_id: str) -> tuple[str, int]:
    """The id that a batch bore at first, and which replay of it this is.

    Raises:
        LakeError: it is no batch id.
    """
    found = _REPLAY.fullmatch(batch_id)
    if found is None:
        raise LakeError(f"{batch_id!r} is no batch id")
    return found["first"], int(found["n"] or 0)


def standing(versions: Sequence[Manifest], moment: datetime) -> Manifest:
    """The newest of these versions, newest first, that was there at a moment; else the oldest."""
    return next((version for version in versions if version.committed_at <= moment), versions[-1])


def shape_of(manifest: Manifest) -> tuple[str | None, Mapping[str, Mapping[str, str]]]:
    """What must be the same for two versions of a batch to be read beside other batches."""
    return manifest.key_id, {name: table.columns for name, table in manifest.tables.items()}


def first_id(folder: Path) -> str:
    """The id that the batch in a folder bore at first."""
    return id_parts(folder.name.removeprefix(PREFIX))[0]


def folder_order(folder: Path) -> tuple[str, int]:
    """By the id of the batch in a folder, with the tenth replay after the ninth."""
    return id_parts(folder.name.removeprefix(PREFIX))


def order_of(manifest: Manifest) -> tuple[str, int]:
    """By batch_id, with the tenth replay after the ninth."""
    return id_parts(manifest.batch_id)


def in_order(links: Mapping[str, Link]) -> list[str]:
    """The first committed first, whatever the clocks said.

    What names none before it comes first, by the clock; then each follows the one that it names. Two that name the
    same one were committed at once, by two machines: the clock parts them.
    """
    loose = sorted(
        (one for one, link in links.items() if link.after not in links), key=lambda one: (links[one].committed_at, one)
    )
    places = {one: place for place, one in enumerate(loose)}
    following: dict[str, list[str]] = defaultdict(list)
    for one in links.keys() - places.keys():
        following[str(links[one].after)].append(one)
    waiting = list(loose)
    while waiting:
        before = waiting.pop()
        places |= dict.fromkeys(following[before], places[before] + 1)
        waiting += following[before]
    return sorted(links, key=lambda one: (places.get(one, len(links)), links[one].committed_at, one))


def kept_links(path: Path) -> dict[str, Link]:
    """What was kept of the decisions; nothing where the file is gone, torn or of before they named each other."""
    try:
        said = json.loads(path.read_bytes()).items()
        return {build_id: Link(datetime.fromisoformat(moment), after) for build_id, (moment, after) in said}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def keep_links(path: Path, links: Mapping[str, Link]) -> None:
    """Keeps what follows from the decisions, to spare reading them."""
    said = {build_id: (link.committed_at.isoformat(), link.after) for build_id, link in links.items()}
    replace_derived(path, json.dumps(said, indent=1, sort_keys=True).encode())
