"""What a batch says of itself and how its files are written: a delivery after the gate, and its manifest.

Belongs here: one batch, before it exists and when it is read. Does not belong here: which batches there are (`lake`).
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from contracts.gate import Split
from warehouse.durable import sync, sync_tree, write_synced
from warehouse.frames import read_frame

Part = Literal["accepted", "quarantine", "received"]
KNOWN_AT = "known_at"
"""The column of accepted rows that says since when each is known, where not all are known as long as their batch."""
# a committed manifest never changes, so a process reads it once, at every look of a sensor too
_REMEMBERED = 20_000
MANIFEST = "manifest.json"
PREFIX = "batch="
_TORN = (pl.exceptions.PolarsError, FileNotFoundError, gzip.BadGzipFile, EOFError, zlib.error)


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


@contextmanager
def naming_its_batch(file: Path) -> Iterator[None]:
    """Makes whatever says that a file of the lake is torn one error that says which, and what to do.

    Raises:
        LakeError: the file is not whole, or not there.
    """
    try:
        yield
    except _TORN as torn:
        folder = next(parent for parent in file.parents if parent.name.startswith(PREFIX))
        batch_id = folder.name.removeprefix(PREFIX)
        raise LakeError(
            f"{folder.parent.name}: batch {batch_id}: {file.relative_to(folder)} cannot be read "
            f"({type(torn).__name__}); restore it from the backup"
        ) from torn


def utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        LakeError: it tells no time zone.
    """
    if moment.tzinfo is None:
        raise LakeError(f"{moment} has no time zone; every moment in the lake is UTC")
    return moment.astimezone(UTC)


def _optional_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else utc(moment)


def require_arithmetic(arrival: Arrival) -> None:
    """Refuses a delivery of which the rows do not add up.

    Raises:
        LakeError: they do not.
    """
    for name, split in arrival.splits.items():
        parts = (split.accepted.height, split.quarantined.height, split.duplicate, split.superseded)
        if split.received != sum(parts):
            raise LakeError(
                f"{arrival.source}: table {name} of {arrival.origin}: {split.received} rows received, but "
                "{} accepted + {} quarantined + {} duplicate + {} superseded".format(*parts)
            )


def payload(arrival: Arrival) -> int:
    """About how many bytes a batch of a delivery takes."""
    frames = [frame for split in arrival.splits.values() for frame in (split.accepted, split.quarantined)]
    if arrival.original is None:
        frames.extend(arrival.received.values())
    size = sum(int(frame.estimated_size()) for frame in frames)
    return size + (len(arrival.original[1]) if arrival.original else 0)


def manifest_of(arrival: Arrival, batch_id: str, known_at: datetime, committed_at: datetime) -> Manifest:
    """What the batch of a delivery will say of itself."""
    return Manifest(
        batch_id=batch_id,
        source=arrival.source,
        origin=arrival.origin,
        supplied_at=utc(arrival.supplied_at),
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


def write_received(folder: Path, arrival: Arrival) -> None:
    """Writes what came through the door, before the gate."""
    if arrival.original is None:
        write_tables(folder, arrival.received)
        return
    folder.mkdir()
    name, content = arrival.original
    # without a time in its header the same content is the same file
    (folder / f"{Path(name).name}.gz").write_bytes(gzip.compress(content, compresslevel=6, mtime=0))


def write_tables(folder: Path, frames: Mapping[str, pl.DataFrame]) -> None:
    """Writes a part of a batch: one file per table."""
    folder.mkdir()
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet", compression="zstd")


def seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Everything is on disk before the manifest says that it exists."""
    sync_tree(folder)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, default=_as_text)
    write_synced(folder / MANIFEST, text.encode())
    sync(folder)


def _as_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise LakeError(f"a manifest cannot hold {type(value).__name__} {value!r}")


def read_parquet(path: Path) -> pl.DataFrame:
    """The rows of a file of a batch.

    Raises:
        LakeError: it is torn, or gone.
    """
    with naming_its_batch(path):
        return read_frame(path)


@lru_cache(_REMEMBERED)
def parse_manifest(path: Path, written_ns: int) -> Manifest:  # noqa: ARG001 - a restored manifest is read again
    """The manifest in a file, as it was written at a moment; a process reads it once.

    Raises:
        LakeError: it is no manifest.
    """
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
