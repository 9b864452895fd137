"""What a delivery passes at its landing, and again at every replay.

Belongs here: the lock of its source, what a source module may know, the gate over its tables, and by what a batch is
recognised. Does not belong here: which deliveries there are (`landing`), or why one passes again (`replay`).
"""

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import polars as pl

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.vocabulary import LINE, SourceContract
from ingestion.delivery import Context
from ingestion.errors import SupplierError, TransientSupplierError
from orchestration.registry import registry_units
from orchestration.settings import Settings
from warehouse.lake import Lake, Manifest

_Answer = TypeVar("_Answer")


@contextmanager
def one_at_a_time(settings: Settings, source: str) -> Iterator[None]:
    """Waits for whatever else commits batches of this source: both would commit the same file."""
    with _lock_file(settings, source).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_landing(settings: Settings, source: str) -> bool:
    """Whether some process commits batches of this source at this moment."""
    with _lock_file(settings, source).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock_file(settings: Settings, source: str) -> Path:
    return settings.layout.root / f".land-{source}.lock"


def source_module(name: str) -> ModuleType:
    """The module that fetches or reads a source."""
    return import_module(f"ingestion.sources.{name}")


def context_of(settings: Settings, lake: Lake, memory: Mapping[str, object] | None = None) -> Context:
    """What a source module may know beside the wire."""
    return Context(
        city=settings.city,
        memory=memory or {},
        rows=partial(accepted_rows, lake),
        areas=partial(_our_own, settings.areas, "the boundaries (ADEMRUIMTE_BOUNDARIES)"),
        registry=partial(_our_own, partial(registry_units, settings), "the registry in dbt_project/seeds"),
    )


def _our_own(ask: Callable[[], _Answer], what: str) -> _Answer:
    """What the profile itself holds: where it is broken, no delivery is at fault.

    Raises:
        TransientSupplierError: it cannot be read.
    """
    try:
        return ask()
    except (SupplierError, pl.exceptions.PolarsError) as broken:
        raise TransientSupplierError("own_fault", why=broken, what=what) from broken


def accepted_rows(lake: Lake, source: str, table: str) -> pl.DataFrame:
    """The accepted rows of every live batch of a table, with `supplied_at` and `content_sha256`.

    Raises:
        LookupError: nothing of it was landed.
    """
    frames = [
        lake.read(manifest, table, "accepted").with_columns(
            supplied_at=pl.lit(manifest.supplied_at), content_sha256=pl.lit(manifest.content_sha256)
        )
        for manifest in lake.live(source)
        # a batch of an older contract may not have had the table yet
        if table in manifest.tables
    ]
    if not frames:
        raise LookupError(f"nothing of {source} {table} was landed")
    return pl.concat(frames, how="diagonal_relaxed")


def run_gate(
    received: Mapping[str, pl.DataFrame],
    contract: SourceContract,
    city: City,
    supplied_at: datetime,
    titles: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Split]:
    """The gate over every table of a source."""
    return {
        table.name: split(received[table.name], table, city, supplied_at, (titles or {}).get(table.name))
        for table in contract.tables
    }


def is_refused_whole(splits: Mapping[str, Split], contract: SourceContract, withheld: Mapping[str, int]) -> bool:
    """Whether a supplier's rows came in and every one was refused."""
    theirs = [splits[table.name] for table in contract.tables if not table.is_ours]
    return not withheld and any(each.received for each in theirs) and all(each.accepted.is_empty() for each in theirs)


def complete_until(
    said: datetime | None, splits: Mapping[str, Split], contract: SourceContract, supplied_at: datetime
) -> datetime | None:
    """Up to where a delivery speaks: never past the moment it was supplied, whatever a row or a name says."""
    spoken = said or _speaks_until(splits, contract)
    return min(spoken, supplied_at) if spoken else None


def _speaks_until(splits: Mapping[str, Split], contract: SourceContract) -> datetime | None:
    """Up to where the accepted rows speak, for a supplier that does not say it."""
    spoken = [splits[table.name].accepted[table.speaks_until].max() for table in contract.tables if table.speaks_until]
    return max((moment for moment in spoken if isinstance(moment, datetime)), default=None)


def recognisable_as(lake: Lake, manifest: Manifest, received: Mapping[str, pl.DataFrame]) -> str:
    """The hash of a batch that is made again.

    A pull is recognised by what came through the door, which may look different now; a file by its bytes.
    """
    if manifest.original is not None:
        return manifest.content_sha256
    before = {name: lake.read(manifest, name, "received") for name in manifest.tables}
    is_pulled = content_sha256(before) == manifest.content_sha256
    return content_sha256(received) if is_pulled else manifest.content_sha256


def content_sha256(tables: Mapping[str, pl.DataFrame]) -> str:
    """A hash of what was received, whatever the order of the pages."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        content = tables[name].drop(LINE)
        digest.update(name.encode())
        digest.update(content.select(sorted(content.columns)).sort(pl.all()).write_csv().encode())
    return digest.hexdigest()
