"""Which build readers see: builds beside each other, and one pointer that flips at once.

`current.json` names the folder of the build, and is replaced by a rename: whoever reads it once reads one build, also
from Windows. `current`, a link to the same folder, is for whoever types a path by hand.
Only one build runs at a time (the warehouse lock), so nothing here is guarded against a second writer.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from warehouse.durable import make_synced, move_into_place, replace_synced, sync_tree
from warehouse.published.store import KEPT, UnknownBuildError

POINTER = "current.json"
"""The file in the published folder that names the build readers see."""

DATABASE = "ademruimte.duckdb"
PARQUET = "parquet"
_LINK = "current"
_BUILDS = "builds"
_STAGING = ".staging"
# a build never changes: whoever opens it to write is told so by the system
_FILE_MODE = 0o444


def stage(published: Path, build_id: str, write: Callable[[Path], None]) -> Path:
    """Lets `write` fill an empty folder, forces it to disk and moves it among the builds.

    Returns:
        `<published>/builds/<build_id>`. What is there already is not written again.
    """
    final = folder_of(published, build_id)
    if final.is_dir():
        return final
    staging = published / _STAGING
    # what an earlier build left when it was killed
    shutil.rmtree(staging, ignore_errors=True)
    folder = staging / build_id
    make_synced(published)
    folder.mkdir(mode=0o750, parents=True)
    write(folder)
    for file in folder.rglob("*"):
        if file.is_file():
            file.chmod(_FILE_MODE)
    sync_tree(folder)
    move_into_place(folder, final)
    return final


def flip(published: Path, build_id: str) -> None:
    """Points readers at a staged build; doing it twice is the same as once.

    Raises:
        UnknownBuildError: that build is not staged; readers keep what they have.
    """
    target = Path(_BUILDS, build_id)
    if not (published / target).is_dir():
        raise UnknownBuildError(f"build {build_id} is not staged; there are: {', '.join(builds(published))}")
    fresh = published / ".pointer.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target, target_is_directory=True)
    os.replace(fresh, published / _LINK)  # noqa: PTH105  # the atomic call, by its own name
    files = {"duckdb": f"{target.as_posix()}/{DATABASE}", "parquet": f"{target.as_posix()}/{PARQUET}"}
    said = json.dumps({"build_id": build_id, "folder": target.as_posix()} | files, indent=1)
    # last: this is what readers go by
    replace_synced(published / POINTER, said.encode())


def discard(published: Path, build_id: str) -> None:
    """Removes a staged build that adds nothing; the one that readers see stays."""
    folder = folder_of(published, build_id)
    if folder.is_dir() and build_id != current(published):
        _remove(folder)


def current(published: Path) -> str | None:
    """The build that readers see, or None before the first."""
    try:
        return str(json.loads((published / POINTER).read_bytes())["build_id"])
    except FileNotFoundError:
        return None


def folder_of(published: Path, build_id: str) -> Path:
    """Where a staged build lies."""
    return published / _BUILDS / build_id


def builds(published: Path) -> list[str]:
    """The staged builds, by id."""
    folder = published / _BUILDS
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def by_age(published: Path) -> list[str]:
    """The staged builds, the oldest first."""
    return sorted(builds(published), key=lambda build: (folder_of(published, build).stat().st_mtime_ns, build))


def prune(published: Path, keep: int = KEPT) -> list[str]:
    """Removes the oldest builds, never the one that readers see.

    Args:
        published: the published folder.
        keep: how many of the newest stay.

    Returns:
        The ids removed.
    """
    newest_first = by_age(published)[::-1]
    removed = [build for build in newest_first[keep:] if build != current(published)]
    for build in removed:
        _remove(folder_of(published, build))
    return removed


def _remove(folder: Path) -> None:
    # what a reader that writes beside a file of it keeps from going, goes at the next time
    shutil.rmtree(folder, ignore_errors=True)
