"""A build as files: a folder per build, in every form that readers open, behind one pointer.

Both forms flip together (ADR 57): whoever reads `current.json` once reads one build, whichever form is opened.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from warehouse.durable import require_free, telling_when_full, write_synced
from warehouse.published import pointer
from warehouse.published.contents import FILE, Contents, Table, as_list, read_list
from warehouse.published.store import KEPT

Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Before:
    """An earlier build, of which what did not change is taken over."""

    folder: Path
    said: dict[str, Any]

    def holds(self, table: Table) -> bool:
        """Whether it holds the same table."""
        return self._versions().get(table.full_name) == table.sha256

    def names(self) -> Collection[tuple[str, str]]:
        """Schema and name of its tables."""
        return [(table["schema"], table["name"]) for table in self.said["tables"]]

    def says_the_same(self, table: Table) -> bool:
        """Whether it describes a table and its columns in the same words."""
        return any(
            (each["schema"], each["name"]) == (table.schema, table.name)
            and (each["comment"], *(column[2] for column in each["columns"])) == table.comments
            for each in self.said["tables"]
        )

    def whole(self, file: str) -> Path | None:
        """A file of it; None when it is gone, or somebody wrote to it since."""
        path = self.folder / file
        is_whole = path.is_file() and list(stamp(path)) == self.said["stamps"].get(file)
        return path if is_whole else None

    def _versions(self) -> dict[str, str]:
        return {f"{table['schema']}.{table['name']}": table["sha256"] for table in self.said["tables"]}


class Form(Protocol):
    """One way in which a build lies in its folder."""

    def write(self, contents: Contents, folder: Path, before: Before | None) -> Collection[str]:
        """Writes a build into an empty folder.

        Args:
            contents: of the build.
            folder: of the build.
            before: an earlier build; what did not change is taken from there.

        Returns:
            The tables of which the rows were read.
        """
        ...


class FileStore:
    """The published folder of a profile."""

    name = "files"

    def __init__(self, published: Path, forms: Sequence[Form]) -> None:
        self._published = published
        self._forms = forms

    def stage(self, contents: Contents) -> Sequence[str]:
        """Writes a build in every form; see `Store.stage`.

        Raises:
            DiskFullError: it might not fit; nothing was written.
        """
        loaded: set[str] = set()
        before = self._newest()

        def write(folder: Path) -> None:
            require_free(folder, contents.payload, f"build {contents.build_id}")
            for form in self._forms:
                loaded.update(form.write(contents, folder, before))
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            stamps = {path.relative_to(folder).as_posix(): stamp(path) for path in files}
            write_synced(folder / FILE, as_list(contents, stamps))

        with telling_when_full(f"build {contents.build_id} in {self._published}"):
            pointer.stage(self._published, contents.build_id, write)
        return sorted(loaded)

    def flip(self, build_id: str) -> None:
        """See `Store.flip`."""
        pointer.flip(self._published, build_id)

    def current(self) -> str | None:
        """See `Store.current`."""
        return pointer.current(self._published)

    def builds(self) -> list[str]:
        """See `Store.builds`."""
        return pointer.builds(self._published)

    def discard(self, build_id: str) -> None:
        """See `Store.discard`."""
        pointer.discard(self._published, build_id)

    def prune(self, keep: int = KEPT) -> list[str]:
        """See `Store.prune`."""
        return pointer.prune(self._published, keep)

    def folder(self, build_id: str) -> Path:
        """Where a staged build lies."""
        return pointer.folder_of(self._published, build_id)

    def _newest(self) -> Before | None:
        for build_id in reversed(pointer.by_age(self._published)):
            said = read_list(self.folder(build_id))
            if said is not None:
                return Before(self.folder(build_id), said)
        return None


def stamp(path: Path) -> Stamp:
    """What a file looks like from outside: it changes when somebody writes to it."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns
