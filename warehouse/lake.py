"""The lake: one batch is one directory, and one rename makes it exist.

Belongs here: committing, finding and reading batches and decisions. Does not belong here: what a column
means (contracts) or how rows become tables (`warehouse.load`). What the lake holds is decided by
manifests: no data file is ever searched for, each is named by the manifest of a committed batch.
"""

import fcntl
import gzip
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import polars as pl

from warehouse.batch import (
    MANIFEST,
    PREFIX,
    Arrival,
    LakeError,
    Manifest,
    Part,
    manifest_of,
    naming_its_batch,
    parse_manifest,
    payload,
    read_parquet,
    require_arithmetic,
    seal,
    utc,
    write_received,
    write_tables,
)
from warehouse.durable import make_synced, move_into_place, require_free, sync, telling_when_full
from warehouse.frames import with_texts
from warehouse.lake_format import format_file, mark_format, require_known_format
from warehouse.order import (
    Link,
    first_id,
    folder_order,
    id_parts,
    in_order,
    keep_links,
    kept_links,
    order_of,
    replay_id,
    shape_of,
    standing,
)
from warehouse.withdrawals import withdrawal_files

_DECISIONS = "decisions"
# which build was committed when, and after which: it follows from their manifests, and is made again when it is gone
_COMMITTED = ".committed.json"
_STAGING = ".staging"


@dataclass(frozen=True, slots=True)
class Decision:
    """A committed build: what it said lies in `path`, on what it was based in `facts`.

    `after` is the build that was committed before it; None in builds of before it was noted, and in the first.
    """

    build_id: str
    committed_at: datetime
    facts: Mapping[str, Any]
    path: Path
    after: str | None = None


class Lake:
    """The batches and decisions of one profile.

    Raises:
        NewerProfileError: a newer version of the program wrote it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = root / _STAGING
        require_known_format(root)

    def commit(self, arrival: Arrival, now: datetime) -> Manifest:
        """Makes a batch of an arrival; afterwards it exists whole, before that not at all.

        Raises:
            LakeError: the counts do not add up, or the batch to supersede is not live.
            DiskFullError: it might not fit; nothing was written.
        """
        require_arithmetic(arrival)
        manifest = replace(
            manifest_of(arrival, self._new_id(arrival, now), self._known_at(arrival, now), utc(now)),
            after=self._live(arrival).after if arrival.supersedes else self._newest_id(arrival.source),
        )
        what = f"{arrival.source}: {arrival.origin}"
        self._require_room(payload(arrival), what)
        with telling_when_full(what), self._staged(manifest.batch_id) as folder:
            write_received(folder / "received", arrival)
            write_tables(folder / "accepted", {name: split.accepted for name, split in arrival.splits.items()})
            write_tables(folder / "quarantine", {name: split.quarantined for name, split in arrival.splits.items()})
            seal(folder, asdict(manifest))
            move_into_place(folder, self._folder(manifest))
        return manifest

    def find(self, source: str, content_sha256: str) -> Manifest | None:
        """The newest batch of a source with that content, or None."""
        marked = [folder for folder in self._folders(source) if first_id(folder).endswith(f"-{content_sha256[:12]}")]
        same = [manifest for manifest in map(self._read, marked) if manifest.content_sha256 == content_sha256]
        return max(same, key=order_of, default=None)

    def latest(self, source: str) -> Manifest | None:
        """The batch of a source that was committed last, replays apart from what they replace."""
        live = {id_parts(manifest.batch_id)[0]: manifest for manifest in self.live(source)}
        order = in_order({first: Link(manifest.known_at, manifest.after) for first, manifest in live.items()})
        return live[order[-1]] if order else None

    def manifests(self, source: str | None = None) -> list[Manifest]:
        """Every committed batch, those superseded included, by batch_id."""
        sources = self._sources() if source is None else [source]
        return sorted((self._read(folder) for name in sources for folder in self._folders(name)), key=order_of)

    def live(self, source: str | None = None) -> list[Manifest]:
        """The batches that no other one supersedes, by batch_id."""
        every = self.manifests(source)
        gone = {manifest.supersedes for manifest in every}
        return [manifest for manifest in every if manifest.batch_id not in gone]

    def counting(self, source: str | None = None) -> list[Manifest]:
        """The live batches that a build is made of: all but those that were refused whole, by batch_id."""
        return [manifest for manifest in self.live(source) if not manifest.is_refused]

    def refused_whole(self, source: str | None = None) -> list[Manifest]:
        """The live batches of which no row was ever accepted: they wait in quarantine for a replay, by batch_id."""
        return [manifest for manifest in self.live(source) if manifest.is_refused]

    def counts(self, source: str, batch_id: str) -> bool:
        """Whether a batch, or what replaced it, is part of builds; not where an older backup took its place."""
        first, _ = id_parts(batch_id)
        return any(id_parts(each.batch_id)[0] == first for each in self.counting(source))

    def newest(self, source: str, most: int) -> list[Manifest]:
        """At most that many batches of a source that no other supersedes, newest first; reads no other manifest."""
        last_of = self._last_of(source)
        return [self._read(last_of[batch_id]) for batch_id in sorted(last_of, reverse=True)[:most]]

    def replaced_by(self, manifest: Manifest) -> list[Manifest]:
        """The batches that a replay stands for: what it supersedes, what that superseded, and so on."""
        replaced: list[Manifest] = []
        before = manifest.supersedes
        while before is not None and (folder := self._batch(manifest.source, before)).is_dir():
            replaced.append(self._read(folder))
            before = replaced[-1].supersedes
        return replaced

    def stood(self, manifest: Manifest, moment: datetime) -> Manifest:
        """The version of a live batch that stood at a moment; the oldest that is left, when none did."""
        return standing([manifest, *self.replaced_by(manifest)], moment)

    def nearest(self, manifest: Manifest, moment: datetime) -> Manifest:
        """The version of a live batch nearest to the one that stood, of those that can be read beside other batches.

        That is not one whose rows were erased, whose pseudonyms are of an older key and join with nothing, or whose
        columns are those of an older contract.
        """
        alike = [
            each
            for each in self.replaced_by(manifest)
            if self.holds_rows(each) and shape_of(each) == shape_of(manifest)
        ]
        return standing([manifest, *alike], moment)

    def holds_rows(self, manifest: Manifest) -> bool:
        """Whether the rows of a batch are there: of one that was replaced they may have been erased."""
        return all((self._folder(manifest) / part).is_dir() for part in get_args(Part))

    def require_superseded(self, manifest: Manifest) -> None:
        """Refuses a batch whose rows count.

        Raises:
            LakeError: nothing supersedes it.
        """
        if manifest.batch_id in {live.batch_id for live in self.live(manifest.source)}:
            raise LakeError(
                f"{manifest.source}: nothing supersedes batch {manifest.batch_id}, so its rows count; replay it first"
            )

    def erase(self, manifest: Manifest) -> None:
        """Removes every row of a batch that another one supersedes. Killed half way, it can be done again.

        The manifest stays: it says what stood when, and that the batch never counts again.

        Raises:
            LakeError: nothing supersedes it.
        """
        self.require_superseded(manifest)
        for part in get_args(Part):
            if (self._folder(manifest) / part).is_dir():
                shutil.rmtree(self._folder(manifest) / part)
        sync(self._folder(manifest))

    def is_erased(self, manifest: Manifest) -> bool:
        """Whether nothing but its manifest is left of a batch."""
        return not any((self._folder(manifest) / part).is_dir() for part in get_args(Part))

    def file(self, manifest: Manifest, table: str, part: Part) -> Path:
        """The one file that holds a part of a table of a batch.

        Raises:
            LakeError: the batch holds no such table, or keeps the supplier's own file instead of its text.
        """
        if table not in manifest.tables:
            raise LakeError(f"{manifest.source}: batch {manifest.batch_id} holds no table {table}")
        if part == "received" and manifest.original is not None:
            raise LakeError(
                f"{manifest.source}: batch {manifest.batch_id} keeps the original {manifest.original}; read that"
            )
        return self._folder(manifest) / part / f"{table}.parquet"

    def beside(self, source: str, name: str) -> Path:
        """A file that follows from the batches of a source and lies beside them; whoever keeps it can make it again."""
        return self._root / source / f".{name}"

    def read(self, manifest: Manifest, table: str, part: Part) -> pl.DataFrame:
        """The rows of a part of a table of a batch.

        Raises:
            LakeError: see `file`.
        """
        return read_parquet(self.file(manifest, table, part))

    def original(self, manifest: Manifest) -> tuple[str, bytes] | None:
        """Name and bytes of the supplier's own file, where it was kept."""
        if manifest.original is None:
            return None
        packed = self._folder(manifest) / "received" / f"{manifest.original}.gz"
        with naming_its_batch(packed):
            return manifest.original, gzip.decompress(packed.read_bytes())

    def commit_decisions(self, build_id: str, verdicts: pl.DataFrame, facts: Mapping[str, Any], now: datetime) -> Path:
        """Commits what a build says; this is the moment from which it cannot be unsaid.

        Returns:
            Its folder. A build that is committed already stays as it is.
        """
        final = self._root / _DECISIONS / f"{PREFIX}{build_id}"
        if (final / MANIFEST).exists():
            return final
        what = f"decisions of build {build_id}"
        self._require_room(int(verdicts.estimated_size()), what)
        with telling_when_full(what), self._staged(f"{_DECISIONS}-{build_id}") as folder:
            verdicts.write_parquet(folder / "verdicts.parquet", compression="zstd")
            said = {"build_id": build_id, "committed_at": utc(now), "rows": verdicts.height, "facts": facts}
            seal(folder, said | {"after": next(reversed(self.build_ids()), None)})
            move_into_place(folder, final)
        return final

    def build_ids(self) -> list[str]:
        """Every committed build, in the order in which they were; what each says is read once in a profile's life.

        Each names the one before it, so that a clock that was wrong once changes nothing.
        """
        path = self._root / _DECISIONS / _COMMITTED
        kept = kept_links(path)
        ids = [folder.name.removeprefix(PREFIX) for folder in self._folders(_DECISIONS)]
        links = {one: kept.get(one) or self._link(one) for one in ids}
        if links != kept:
            keep_links(path, links)
        return in_order(links)

    def _link(self, build_id: str) -> "Link":
        decision = self.decision(build_id)
        return Link(decision.committed_at, decision.after)

    def decision(self, build_id: str) -> Decision:
        """A committed build."""
        return _decision(self._root / _DECISIONS / f"{PREFIX}{build_id}")

    def decisions(self) -> list[Decision]:
        """Every committed build, oldest first, with all that it says of itself: thousands of files after some years."""
        return [self.decision(build_id) for build_id in self.build_ids()]

    def said(self, decision: Decision) -> pl.DataFrame:
        """The verdict rows of a committed build."""
        return with_texts(read_parquet(decision.path / "verdicts.parquet"))

    def committed(self) -> Iterator[Path]:
        """Whatever a backup must hold: the format, withdrawals, every decision, then every committed batch.

        In this order every batch that a decision names is among them, whatever is committed meanwhile.
        """
        if (file := format_file(self._root)) is not None:
            yield file
        yield from withdrawal_files(self._root / _DECISIONS)
        for name in (_DECISIONS, *self._sources()):
            yield from self._folders(name)

    def sweep(self) -> int:
        """Removes what killed writers left in staging; does nothing while another process writes.

        Returns:
            How many folders were removed.
        """
        if not self._staging.is_dir():
            return 0
        with self._staging_lock(fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
            leftovers = list(self._staging.iterdir()) if alone else []
            for leftover in leftovers:
                shutil.rmtree(leftover)
        return len(leftovers)

    def _sources(self) -> list[str]:
        if not self._root.is_dir():
            return []
        return sorted(
            entry.name
            for entry in os.scandir(self._root)
            if entry.is_dir() and not entry.name.startswith(".") and entry.name != _DECISIONS
        )

    def _folders(self, source: str) -> list[Path]:
        folder = self._root / source
        if not folder.is_dir():
            return []
        named = (Path(entry.path) for entry in os.scandir(folder) if entry.name.startswith(PREFIX))
        return [path for path in named if (path / MANIFEST).exists()]

    def _last_of(self, source: str) -> dict[str, Path]:
        """The folder of the batch that stands, by the id it bore at first.

        A replay bears the id of what it supersedes and a higher number.
        """
        return {first_id(folder): folder for folder in sorted(self._folders(source), key=folder_order)}

    def _folder(self, manifest: Manifest) -> Path:
        return self._batch(manifest.source, manifest.batch_id)

    def _batch(self, source: str, batch_id: str) -> Path:
        return self._root / source / f"{PREFIX}{batch_id}"

    def _read(self, folder: Path) -> Manifest:
        path = folder / MANIFEST
        return parse_manifest(path, path.stat().st_mtime_ns)

    def _new_id(self, arrival: Arrival, now: datetime) -> str:
        if arrival.supersedes is None:
            batch_id = f"{utc(now):%Y%m%dT%H%M%S%fZ}-{arrival.content_sha256[:12]}"
        else:
            batch_id = replay_id(arrival.supersedes, [self._live(arrival).batch_id])
        if self._batch(arrival.source, batch_id).exists():
            raise LakeError(f"{arrival.source}: {arrival.origin} is already committed as {batch_id}")
        return batch_id

    def _newest_id(self, source: str) -> str | None:
        newest = self.latest(source)
        return None if newest is None else id_parts(newest.batch_id)[0]

    def _known_at(self, arrival: Arrival, now: datetime) -> datetime:
        if arrival.known_at is not None:
            return utc(arrival.known_at)
        return utc(now) if arrival.supersedes is None else self._live(arrival).known_at

    def _live(self, arrival: Arrival) -> Manifest:
        """What an arrival supersedes; two batches that replace the same one would both count."""
        for manifest in self.live(arrival.source):
            if manifest.batch_id == arrival.supersedes:
                return manifest
        raise LakeError(f"{arrival.source}: no live batch {arrival.supersedes} to supersede; replay the newest one")

    def _require_room(self, payload: int, what: str) -> None:
        make_synced(self._staging)
        require_free(self._staging, payload, what)

    @contextmanager
    def _staged(self, name: str) -> Iterator[Path]:
        """An empty folder to fill; whatever is still in it afterwards is thrown away."""
        folder = self._staging / name
        with self._staging_lock(fcntl.LOCK_SH):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o750)
            try:
                mark_format(self._root)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _staging_lock(self, how: int) -> Iterator[bool]:
        """The kernel lets go of it when its holder dies, so a lock is never left behind."""
        handle = os.open(self._staging, os.O_RDONLY)
        try:
            fcntl.flock(handle, how)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(handle)


def _decision(folder: Path) -> Decision:
    said = json.loads((folder / MANIFEST).read_bytes())
    moment = datetime.fromisoformat(said["committed_at"])
    return Decision(said["build_id"], moment, said["facts"], folder, said.get("after"))
