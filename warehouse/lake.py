"""The lake: one batch is one directory, and one rename makes it exist.

Belongs here: committing, finding and reading batches and decisions. Does not belong here: what a column
means (contracts) or how rows become tables (`warehouse.load`). What the lake holds is decided by
manifests: no data file is ever searched for, each is named by the manifest of a committed batch.
"""

import fcntl
import gzip
import json
import os
import re
import shutil
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

import polars as pl

from contracts.gate import Split
from warehouse.durable import (
    make_synced,
    move_into_place,
    replace_derived,
    replace_synced,
    require_free,
    sync,
    sync_tree,
    telling_when_full,
    write_synced,
)
from warehouse.frames import read_frame
from warehouse.layout import NewerProfileError
from warehouse.withdrawals import withdrawal_files

Part = Literal["accepted", "quarantine", "received"]
KNOWN_AT = "known_at"
"""The column of accepted rows that says since when each is known, where not all are known as long as their batch."""

FORMAT: Final = 2
"""The format that this program writes; a lake of before it had a number bears no file, and is read as it is."""

_FORMAT_FILE = "FORMAT"
# a committed manifest never changes, so a process reads it once, at every look of a sensor too
_REMEMBERED = 20_000
_DECISIONS = "decisions"
# which build was committed when, and after which: it follows from their manifests, and is made again when it is gone
_COMMITTED = ".committed.json"
_STAGING = ".staging"
_MANIFEST = "manifest.json"
_PREFIX = "batch="
_TORN = (pl.exceptions.PolarsError, FileNotFoundError, gzip.BadGzipFile, EOFError, zlib.error)
_REPLAY = re.compile(r"^(?P<first>.+?)(?:\.r(?P<n>\d+))?$")


class LakeError(ValueError):
    """A batch cannot be committed or read; the message names its source and batch."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery after the gate, ready to be committed.

    Attributes:
        origin: file name, or address without its query.
        supplied_at: the supplier's own time of the delivery.
        complete_until: up to where it speaks; None when nobody can say.
        content_sha256: of what the supplier sent, in hexadecimal.
        key_id: which pseudonym key was used; None without pseudonyms.
        received: per table the text after the door, with `line`.
        original: file name and bytes; kept instead of `received` where no person is in them.
        splits: per table what became of its rows; those accepted may bear `KNOWN_AT`.
        dropped_columns: per table the columns that the door did not let in.
        redactions: direct identifiers that the door's second net removed.
        supersedes: the batch that this one replaces (replay).
        known_at: when the content was first committed; None for now, or for what is superseded its own.
        event_dates: per table the column whose span the manifest names.
        withheld: by reason, rows that the door did not let in and of which nothing was kept.
        recognised: per table how many accepted rows an earlier batch holds with the same content.
        is_full: per table that the delivery speaks of, whether it holds all of it.
        is_refused: see `Manifest`.
    """

    source: str
    origin: str
    supplied_at: datetime
    complete_until: datetime | None
    content_sha256: str
    contract_version: int
    key_id: str | None
    received: Mapping[str, pl.DataFrame]
    original: tuple[str, bytes] | None
    splits: Mapping[str, Split]
    dropped_columns: Mapping[str, tuple[str, ...]]
    redactions: int
    supersedes: str | None = None
    known_at: datetime | None = None
    event_dates: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    recognised: Mapping[str, int] = field(default_factory=dict)
    is_full: Mapping[str, bool] = field(default_factory=dict)
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class TableManifest:
    """What became of the rows of one table; duplicate and superseded mean within this batch.

    Attributes:
        columns: the accepted columns and their types.
        first_date: the first city date its rows touch, where the arrival named the column.
        last_date: the last one.
        recognised: how many of the accepted rows an earlier batch held with the same content, as far as was looked.
        is_full: whether the delivery holds all of the table, or what changed; None when it said nothing of it, so that
            no row does not mean that there is none.
        clamped: moments past the delivery that were taken back to it.
        noted: values that broke the limits of their column and were replaced.
    """

    received: int
    accepted: int
    quarantined: int
    duplicate: int
    superseded: int
    columns: Mapping[str, str]
    first_date: date | None
    last_date: date | None
    recognised: int = 0
    is_full: bool | None = None
    clamped: int = 0
    noted: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a committed batch says of itself: `manifest.json`.

    Attributes:
        known_at: when its content was first committed; a replay keeps it, also where a row is known since later.
        original: name of the supplier's own file in `received/`, where that is what was kept.
        withheld: by reason, rows that the door did not let in.
        is_refused: whether every row was refused, of it and of what it replaces: its rows wait in quarantine, and no
            build is made of it.
        after: the batch of the source that was committed before it, by the id it bore at first. Clocks may be wrong:
            this alone says which came last. None in batches of before it was noted, and in the first.
    """

    batch_id: str
    source: str
    origin: str
    supplied_at: datetime
    known_at: datetime
    committed_at: datetime
    complete_until: datetime | None
    content_sha256: str
    contract_version: int
    key_id: str | None
    supersedes: str | None
    dropped_columns: Mapping[str, tuple[str, ...]]
    redactions: int
    tables: Mapping[str, TableManifest]
    original: str | None = None
    withheld: Mapping[str, int] = field(default_factory=dict)
    is_refused: bool = False
    after: str | None = None

    @property
    def is_full(self) -> dict[str, bool]:
        """Of the tables that the delivery speaks of, whether it holds all of each."""
        return {name: table.is_full for name, table in self.tables.items() if table.is_full is not None}


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


class _Link(NamedTuple):
    """When something was committed by the clock, and after what."""

    committed_at: datetime
    after: str | None


class Lake:
    """The batches and decisions of one profile.

    Raises:
        NewerProfileError: a newer version of the program wrote it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = root / _STAGING
        if self._format() > FORMAT:
            raise NewerProfileError(root, self._format(), FORMAT)

    def commit(self, arrival: Arrival, now: datetime) -> Manifest:
        """Makes a batch of an arrival; afterwards it exists whole, before that not at all.

        Raises:
            LakeError: the counts do not add up, or the batch to supersede is not live.
            DiskFullError: it might not fit; nothing was written.
        """
        _require_arithmetic(arrival)
        manifest = replace(
            _manifest(arrival, self._new_id(arrival, now), self._known_at(arrival, now), _utc(now)),
            after=self._live(arrival).after if arrival.supersedes else self._newest_id(arrival.source),
        )
        what = f"{arrival.source}: {arrival.origin}"
        self._require_room(_payload(arrival), what)
        with telling_when_full(what), self._staged(manifest.batch_id) as folder:
            _write_received(folder / "received", arrival)
            _write_tables(folder / "accepted", {name: split.accepted for name, split in arrival.splits.items()})
            _write_tables(folder / "quarantine", {name: split.quarantined for name, split in arrival.splits.items()})
            _seal(folder, asdict(manifest))
            move_into_place(folder, self._folder(manifest))
        return manifest

    def find(self, source: str, content_sha256: str) -> Manifest | None:
        """The newest batch of a source with that content, or None."""
        marked = [folder for folder in self._folders(source) if _first_id(folder).endswith(f"-{content_sha256[:12]}")]
        same = [manifest for manifest in map(self._read, marked) if manifest.content_sha256 == content_sha256]
        return max(same, key=_order, default=None)

    def latest(self, source: str) -> Manifest | None:
        """The batch of a source that was committed last, replays apart from what they replace."""
        live = {_id_parts(manifest.batch_id)[0]: manifest for manifest in self.live(source)}
        order = _in_order({first: _Link(manifest.known_at, manifest.after) for first, manifest in live.items()})
        return live[order[-1]] if order else None

    def manifests(self, source: str | None = None) -> list[Manifest]:
        """Every committed batch, those superseded included, by batch_id."""
        sources = self._sources() if source is None else [source]
        return sorted((self._read(folder) for name in sources for folder in self._folders(name)), key=_order)

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
        first, _ = _id_parts(batch_id)
        return any(_id_parts(each.batch_id)[0] == first for each in self.counting(source))

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
        return _standing([manifest, *self.replaced_by(manifest)], moment)

    def nearest(self, manifest: Manifest, moment: datetime) -> Manifest:
        """The version of a live batch nearest to the one that stood, of those that can be read beside other batches.

        That is not one whose rows were erased, whose pseudonyms are of an older key and join with nothing, or whose
        columns are those of an older contract.
        """
        alike = [
            each for each in self.replaced_by(manifest) if self.holds_rows(each) and _shape(each) == _shape(manifest)
        ]
        return _standing([manifest, *alike], moment)

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
        return _read_parquet(self.file(manifest, table, part))

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
        final = self._root / _DECISIONS / f"{_PREFIX}{build_id}"
        if (final / _MANIFEST).exists():
            return final
        what = f"decisions of build {build_id}"
        self._require_room(int(verdicts.estimated_size()), what)
        with telling_when_full(what), self._staged(f"{_DECISIONS}-{build_id}") as folder:
            verdicts.write_parquet(folder / "verdicts.parquet", compression="zstd")
            said = {"build_id": build_id, "committed_at": _utc(now), "rows": verdicts.height, "facts": facts}
            _seal(folder, said | {"after": next(reversed(self.build_ids()), None)})
            move_into_place(folder, final)
        return final

    def build_ids(self) -> list[str]:
        """Every committed build, in the order in which they were; what each says is read once in a profile's life.

        Each names the one before it, so that a clock that was wrong once changes nothing.
        """
        path = self._root / _DECISIONS / _COMMITTED
        kept = _kept_links(path)
        ids = [folder.name.removeprefix(_PREFIX) for folder in self._folders(_DECISIONS)]
        links = {one: kept.get(one) or self._link(one) for one in ids}
        if links != kept:
            _keep_links(path, links)
        return _in_order(links)

    def _link(self, build_id: str) -> "_Link":
        decision = self.decision(build_id)
        return _Link(decision.committed_at, decision.after)

    def decision(self, build_id: str) -> Decision:
        """A committed build."""
        return _decision(self._root / _DECISIONS / f"{_PREFIX}{build_id}")

    def decisions(self) -> list[Decision]:
        """Every committed build, oldest first, with all that it says of itself: thousands of files after some years."""
        return [self.decision(build_id) for build_id in self.build_ids()]

    def said(self, decision: Decision) -> pl.DataFrame:
        """The verdict rows of a committed build."""
        return _read_parquet(decision.path / "verdicts.parquet")

    def committed(self) -> Iterator[Path]:
        """Whatever a backup must hold: the format, withdrawals, every decision, then every committed batch.

        In this order every batch that a decision names is among them, whatever is committed meanwhile.
        """
        if (self._root / _FORMAT_FILE).exists():
            yield self._root / _FORMAT_FILE
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
        named = (Path(entry.path) for entry in os.scandir(folder) if entry.name.startswith(_PREFIX))
        return [path for path in named if (path / _MANIFEST).exists()]

    def _last_of(self, source: str) -> dict[str, Path]:
        """The folder of the batch that stands, by the id it bore at first.

        A replay bears the id of what it supersedes and a higher number.
        """
        return {_first_id(folder): folder for folder in sorted(self._folders(source), key=_folder_order)}

    def _folder(self, manifest: Manifest) -> Path:
        return self._batch(manifest.source, manifest.batch_id)

    def _batch(self, source: str, batch_id: str) -> Path:
        return self._root / source / f"{_PREFIX}{batch_id}"

    def _read(self, folder: Path) -> Manifest:
        path = folder / _MANIFEST
        return _parse_manifest(path, path.stat().st_mtime_ns)

    def _new_id(self, arrival: Arrival, now: datetime) -> str:
        if arrival.supersedes is None:
            batch_id = f"{_utc(now):%Y%m%dT%H%M%S%fZ}-{arrival.content_sha256[:12]}"
        else:
            batch_id = replay_id(arrival.supersedes, [self._live(arrival).batch_id])
        if self._batch(arrival.source, batch_id).exists():
            raise LakeError(f"{arrival.source}: {arrival.origin} is already committed as {batch_id}")
        return batch_id

    def _newest_id(self, source: str) -> str | None:
        newest = self.latest(source)
        return None if newest is None else _id_parts(newest.batch_id)[0]

    def _known_at(self, arrival: Arrival, now: datetime) -> datetime:
        if arrival.known_at is not None:
            return _utc(arrival.known_at)
        return _utc(now) if arrival.supersedes is None else self._live(arrival).known_at

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
                self._mark_format()
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _format(self) -> int:
        file = self._root / _FORMAT_FILE
        return int(file.read_text("utf-8")) if file.exists() else 0

    def _mark_format(self) -> None:
        """What is written now, an older version of the program need not understand."""
        if self._format() < FORMAT:
            replace_synced(self._root / _FORMAT_FILE, f"{FORMAT}\n".encode())

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


@contextmanager
def naming_its_batch(file: Path) -> Iterator[None]:
    """Makes whatever says that a file of the lake is torn one error that says which, and what to do.

    Raises:
        LakeError: the file is not whole, or not there.
    """
    try:
        yield
    except _TORN as torn:
        folder = next(parent for parent in file.parents if parent.name.startswith(_PREFIX))
        batch_id = folder.name.removeprefix(_PREFIX)
        raise LakeError(
            f"{folder.parent.name}: batch {batch_id}: {file.relative_to(folder)} cannot be read "
            f"({type(torn).__name__}); restore it from the backup"
        ) from torn


def replay_id(batch_id: str, existing: Sequence[str] = ()) -> str:
    """The id of the next replay of a batch: `<id>.r1`, then `<id>.r2`.

    Args:
        batch_id: the batch, or a replay of it.
        existing: ids of replays that exist already.
    """
    first, _ = _id_parts(batch_id)
    taken = [n for name, n in map(_id_parts, (batch_id, *existing)) if name == first]
    return f"{first}.r{max(taken) + 1}"


def _id_parts(batch_id: str) -> tuple[str, int]:
    found = _REPLAY.fullmatch(batch_id)
    if found is None:
        raise LakeError(f"{batch_id!r} is no batch id")
    return found["first"], int(found["n"] or 0)


def _standing(versions: Sequence[Manifest], moment: datetime) -> Manifest:
    """The newest of these versions, newest first, that was there at a moment; else the oldest."""
    return next((version for version in versions if version.committed_at <= moment), versions[-1])


def _shape(manifest: Manifest) -> tuple[str | None, Mapping[str, Mapping[str, str]]]:
    return manifest.key_id, {name: table.columns for name, table in manifest.tables.items()}


def _first_id(folder: Path) -> str:
    return _id_parts(folder.name.removeprefix(_PREFIX))[0]


def _folder_order(folder: Path) -> tuple[str, int]:
    return _id_parts(folder.name.removeprefix(_PREFIX))


def _order(manifest: Manifest) -> tuple[str, int]:
    """By batch_id, with the tenth replay after the ninth."""
    return _id_parts(manifest.batch_id)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise LakeError(f"{moment} has no time zone; every moment in the lake is UTC")
    return moment.astimezone(UTC)


def _optional_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else _utc(moment)


def _require_arithmetic(arrival: Arrival) -> None:
    for name, split in arrival.splits.items():
        parts = (split.accepted.height, split.quarantined.height, split.duplicate, split.superseded)
        if split.received != sum(parts):
            raise LakeError(
                f"{arrival.source}: table {name} of {arrival.origin}: {split.received} rows received, but "
                "{} accepted + {} quarantined + {} duplicate + {} superseded".format(*parts)
            )


def _payload(arrival: Arrival) -> int:
    frames = [frame for split in arrival.splits.values() for frame in (split.accepted, split.quarantined)]
    if arrival.original is None:
        frames.extend(arrival.received.values())
    size = sum(int(frame.estimated_size()) for frame in frames)
    return size + (len(arrival.original[1]) if arrival.original else 0)


def _manifest(arrival: Arrival, batch_id: str, known_at: datetime, committed_at: datetime) -> Manifest:
    return Manifest(
        batch_id=batch_id,
        source=arrival.source,
        origin=arrival.origin,
        supplied_at=_utc(arrival.supplied_at),
        known_at=known_at,
        committed_at=committed_at,
        complete_until=_optional_utc(arrival.complete_until),
        content_sha256=arrival.content_sha256,
        contract_version=arrival.contract_version,
        key_id=arrival.key_id,
        supersedes=arrival.supersedes,
        dropped_columns=dict(arrival.dropped_columns),
        redactions=arrival.redactions,
        tables={name: _table_manifest(name, split, arrival) for name, split in arrival.splits.items()},
        original=Path(arrival.original[0]).name if arrival.original else None,
        withheld=dict(arrival.withheld),
        is_refused=arrival.is_refused,
    )


def _table_manifest(name: str, split: Split, arrival: Arrival) -> TableManifest:
    event_date = arrival.event_dates.get(name)
    dates = split.accepted[event_date] if event_date else pl.Series(dtype=pl.Date)
    return TableManifest(
        received=split.received,
        accepted=split.accepted.height,
        quarantined=split.quarantined.height,
        duplicate=split.duplicate,
        superseded=split.superseded,
        columns={name: str(dtype) for name, dtype in split.accepted.schema.items() if name != KNOWN_AT},
        first_date=_as_date(dates.min()),
        last_date=_as_date(dates.max()),
        recognised=arrival.recognised.get(name, 0),
        is_full=arrival.is_full.get(name),
        clamped=split.clamped,
        noted=split.noted,
    )


def _as_date(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _write_received(folder: Path, arrival: Arrival) -> None:
    if arrival.original is None:
        _write_tables(folder, arrival.received)
        return
    folder.mkdir()
    name, content = arrival.original
    # without a time in its header the same content is the same file
    (folder / f"{Path(name).name}.gz").write_bytes(gzip.compress(content, compresslevel=6, mtime=0))


def _write_tables(folder: Path, frames: Mapping[str, pl.DataFrame]) -> None:
    folder.mkdir()
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet", compression="zstd")


def _seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Everything is on disk before the manifest says that it exists."""
    sync_tree(folder)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, default=_as_text)
    write_synced(folder / _MANIFEST, text.encode())
    sync(folder)


def _as_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise LakeError(f"a manifest cannot hold {type(value).__name__} {value!r}")


def _read_parquet(path: Path) -> pl.DataFrame:
    with naming_its_batch(path):
        return read_frame(path)


@lru_cache(_REMEMBERED)
def _parse_manifest(path: Path, written_ns: int) -> Manifest:  # noqa: ARG001 - a restored manifest is read again
    try:
        said = json.loads(path.read_bytes())
    except ValueError as broken:
        raise LakeError(f"{path}: is no manifest ({broken}); restore this batch from the backup") from None
    moments = {name: _moment(said[name]) for name in ("supplied_at", "known_at", "committed_at", "complete_until")}
    tables = {name: _parse_table(table) for name, table in said["tables"].items()}
    dropped = {name: tuple(columns) for name, columns in said["dropped_columns"].items()}
    return Manifest(**{**said, **moments, "tables": tables, "dropped_columns": dropped})


def _parse_table(said: dict[str, Any]) -> TableManifest:
    dates = {name: said[name] and date.fromisoformat(said[name]) for name in ("first_date", "last_date")}
    return TableManifest(**{**said, **dates})


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _decision(folder: Path) -> Decision:
    said = json.loads((folder / _MANIFEST).read_bytes())
    moment = datetime.fromisoformat(said["committed_at"])
    return Decision(said["build_id"], moment, said["facts"], folder, said.get("after"))


def _in_order(links: Mapping[str, _Link]) -> list[str]:
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


def _kept_links(path: Path) -> dict[str, _Link]:
    """What was kept of the decisions; nothing where the file is gone, torn or of before they named each other."""
    try:
        said = json.loads(path.read_bytes()).items()
        return {build_id: _Link(datetime.fromisoformat(moment), after) for build_id, (moment, after) in said}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _keep_links(path: Path, links: Mapping[str, _Link]) -> None:
    said = {build_id: (link.committed_at.isoformat(), link.after) for build_id, link in links.items()}
    replace_derived(path, json.dumps(said, indent=1, sort_keys=True).encode())
