"""A backup of one profile: what its lake and its state held at one moment, every file kept once, under its hash.

Belongs here: taking a backup while landings and builds go on, checking it, and putting it back into an empty profile.
Does not belong here: the keys of the pseudonyms, which never lie beside what they protect.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from warehouse.durable import hash_of, make_synced, replace_synced, sync, sync_tree, telling_when_full
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.state import Hold, State

FORMAT: Final = 1
"""The format of a backup that this program writes and reads."""

_LAKE, _STATE = "lake", "state.sqlite"
_BLOCK = 2**20
_STAMP = "%Y%m%dT%H%M%SZ"


class BackupError(ValueError):
    """A backup cannot be made or put back; the message says why, and what to do."""


class Kept(NamedTuple):
    """A file of a backup: its hash, and what it looked like where it was read."""

    sha256: str
    size: int
    written_ns: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a profile held at one moment.

    Attributes:
        name: the how-manieth it is and when it was taken, as `0007-20261130T143000Z`: a clock may be wrong.
        files: by path within the profile.
    """

    name: str
    city: str
    files: Mapping[str, Kept]


class Backup:
    """The backups of one profile in a folder; a file that several hold lies there once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._objects = folder / "objects"
        self._snapshots = folder / "snapshots"

    def take(self, layout: Layout, city: str, now: datetime) -> Snapshot:
        """Copies what is new since the last backup; nothing waits for it, and it waits for nothing.

        The state is read first, then the decisions, then the batches: a state may be older than its lake, which only
        makes a supplier be asked again, but never newer; and every batch that a decision names is there.

        Raises:
            BackupError: the folder lies in the profile, or holds the backups of another city.
            DiskFullError: the backup does not fit; the earlier ones stay as they are.
        """
        self._refuse_if_inside(layout)
        earlier = self.newest()
        if earlier is not None and earlier.city != city:
            raise BackupError(f"{self._folder} holds backups of {earlier.city}; give {city} a folder of its own")
        with telling_when_full(f"backup in {self._folder}"):
            known = earlier.files if earlier else {}
            files = {_STATE: self._keep_state(layout.state)} if layout.state.exists() else {}
            for folder in Lake(layout.lake).committed():
                files |= self._keep_whole(folder, layout.root, known)
            name = f"{self._next_number():04}-{now.astimezone(UTC).strftime(_STAMP)}"
            return self._seal(Snapshot(name, city, files))

    def snapshots(self) -> list[str]:
        """The names of the backups, oldest first."""
        return sorted(path.stem for path in self._snapshots.glob("*.json")) if self._snapshots.is_dir() else []

    def _next_number(self) -> int:
        return 1 + max((int(name.partition("-")[0]) for name in self.snapshots()), default=0)

    def newest(self) -> Snapshot | None:
        """The last backup that was taken."""
        names = self.snapshots()
        return self.read(names[-1]) if names else None

    def read(self, name: str) -> Snapshot:
        """A backup by its name.

        Raises:
            BackupError: there is none, or a newer version of the program made it.
        """
        path = self._snapshots / f"{name}.json"
        if not path.exists():
            held = ", ".join(self.snapshots()) or "none"
            raise BackupError(f"{self._folder} holds no backup {name}; it holds {held}")
        said = json.loads(path.read_bytes())
        if said["format"] > FORMAT:
            raise BackupError(f"backup {name} was made by a newer version of Ademruimte; put it back with that one")
        return Snapshot(said["name"], said["city"], {path: Kept(*kept) for path, kept in said["files"].items()})

    def faults(self, snapshot: Snapshot) -> list[str]:
        """The files of a backup that are gone or no longer what they were, by path; reads every byte."""
        return [path for path, kept in snapshot.files.items() if not self._is_whole(kept)]

    def prune(self, most: int) -> Sequence[str]:
        """Removes all but the newest backups, and the files that no other one holds.

        Args:
            most: how many stay; at least one.

        Returns:
            The names of those that are gone.
        """
        gone = self.snapshots()[:-most]
        for name in gone:
            (self._snapshots / f"{name}.json").unlink()
        needed = {kept.sha256 for name in self.snapshots() for kept in self.read(name).files.values()}
        for path in self._objects.glob("*/*"):
            if path.name not in needed:
                path.unlink()
        return gone

    def restore(self, snapshot: Snapshot, layout: Layout, now: datetime) -> None:
        """Puts a backup into an empty profile. Killed half way, the same call goes on.

        The outbox is held: what it sent after the backup was taken, nobody can know.

        Raises:
            BackupError: the profile holds something already, or a file of the backup is not what it was.
            DiskFullError: it does not fit; nothing was put back.
        """
        layout.create()
        staged = layout.root / f".restoring-{snapshot.name}"
        if not (staged / _STATE).exists() or (staged / _LAKE).is_dir():
            _require_empty(layout)
            with telling_when_full(f"restoring {snapshot.name}"):
                self._stage(snapshot, staged, now)
            # an empty lake has room for what killed writers left, and a folder is renamed over an empty one only
            shutil.rmtree(layout.staging)
            (staged / _LAKE).rename(layout.lake)
        (staged / _STATE).rename(layout.state)
        shutil.rmtree(staged)
        layout.create()

    def _stage(self, snapshot: Snapshot, staged: Path, now: datetime) -> None:
        shutil.rmtree(staged, ignore_errors=True)
        (staged / _LAKE).mkdir(parents=True, mode=0o750)
        for path, kept in snapshot.files.items():
            target = staged / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            if not self._object(kept.sha256).exists() or _copy(self._object(kept.sha256), target) != kept.sha256:
                raise BackupError(f"backup {snapshot.name}: {path} is not what was backed up; take an earlier backup")
        with State(staged / _STATE) as state:
            state.hold_outbox(Hold(f"the backup of {snapshot.name} was put back", now))
        sync_tree(staged)

    def _keep_state(self, path: Path) -> Kept:
        copy = self._fresh("state")
        copy.unlink(missing_ok=True)
        with State(path) as state:
            state.copy_to(copy)
        return self._keep(copy)

    def _keep_whole(self, folder: Path, root: Path, known: Mapping[str, Kept]) -> dict[str, Kept]:
        """The files of one batch or decision; when it is erased meanwhile, those that are left."""
        while True:
            with suppress(FileNotFoundError):
                return dict(self._each(folder, root, known))

    def _each(self, folder: Path, root: Path, known: Mapping[str, Kept]) -> Iterator[tuple[str, Kept]]:
        for path in sorted(_files(folder)):
            name, found = path.relative_to(root).as_posix(), path.stat()
            kept = known.get(name)
            is_same = kept is not None and (kept.size, kept.written_ns) == (found.st_size, found.st_mtime_ns)
            if kept is None or not is_same or not self._object(kept.sha256).exists():
                copy = self._fresh("file")
                _copy(path, copy)
                kept = self._keep(copy)._replace(written_ns=found.st_mtime_ns)
            yield name, kept

    def _keep(self, copy: Path) -> Kept:
        """Moves a copy under the hash of what was really written."""
        sync(copy)
        sha256, size = hash_of(copy), copy.stat().st_size
        kept = self._object(sha256)
        make_synced(kept.parent)
        copy.replace(kept)
        sync(kept.parent)
        return Kept(sha256, size, 0)

    def _seal(self, snapshot: Snapshot) -> Snapshot:
        """The backup exists once its list does, and everything on the list is on the disk by then."""
        make_synced(self._snapshots)
        said = {"format": FORMAT, "name": snapshot.name, "city": snapshot.city, "files": snapshot.files}
        listed = json.dumps(said, indent=1, sort_keys=True).encode()
        replace_synced(self._snapshots / f"{snapshot.name}.json", listed)
        return snapshot

    def _is_whole(self, kept: Kept) -> bool:
        path = self._object(kept.sha256)
        return path.exists() and hash_of(path) == kept.sha256

    def _object(self, sha256: str) -> Path:
        return self._objects / sha256[:2] / sha256

    def _fresh(self, what: str) -> Path:
        make_synced(self._objects)
        return self._folder / f".{what}.{os.getpid()}"

    def _refuse_if_inside(self, layout: Layout) -> None:
        if self._folder.resolve().is_relative_to(layout.root.resolve()):
            raise BackupError(f"{self._folder} lies in the profile it would back up; choose a folder on another disk")


def _copy(source: Path, target: Path) -> str:
    """Copies a file and returns the hash of what was read."""
    found = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as written:
        while block := read.read(_BLOCK):
            found.update(block)
            written.write(block)
    target.chmod(0o640)
    return found.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def _require_empty(layout: Layout) -> None:
    held = [layout.state] if layout.state.exists() else []
    held += [path for path in layout.lake.iterdir() if path != layout.staging]
    if held:
        raise BackupError(
            f"{held[0]} exists: a backup is put back into an empty profile. Move it, or set another ADEMRUIMTE_HOME"
        )
