"""What a source module hands over: text rows as the supplier sent them, and what the supplier said of them."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from contracts.cities.profile import City
from ingestion.areas import Areas

_DIGEST_LETTERS = 16
_NO_DIGITS = str.maketrans("0123456789", "ghijklmnop")
REGISTRY = pl.Schema({"kpi_id": pl.String, "unit": pl.String, "needs_check": pl.Boolean, "is_public": pl.Boolean})
"""The columns of `Context.registry`."""


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A complete file in a source's drop folder.

    Attributes:
        supplied_at: the time named in its `.ready` file, else when it was last written (UTC).
        content: its bytes, read once: what is hashed is what is read, whatever happens to the file.
    """

    path: Path
    supplied_at: datetime
    content: bytes | None = None


def _no_rows(source: str, table: str) -> pl.DataFrame:
    raise LookupError(f"nothing of {source} {table} was landed")


def _no_areas() -> Areas | None:
    return None


def _no_registry() -> pl.DataFrame:
    return pl.DataFrame(schema=REGISTRY)


def _no_clock() -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """What a source module may know beside the wire; asked only when it needs it.

    Attributes:
        memory: what the last committed delivery of this source asked to be remembered. To lose it may
            only cost a fuller pull.
        rows: the accepted rows of every live batch of another source's table (source, table), with
            `supplied_at` and `content_sha256`; for small registers. LookupError when nothing of it was landed.
        areas: the boundaries of the profile, or None.
        registry: kpi_id, unit, needs_check and is_public of the registered targets.
        now: our own clock (UTC), to hold beside a supplier's; None where time stands still.
    """

    city: City
    memory: Mapping[str, object] = field(default_factory=dict)
    rows: Callable[[str, str], pl.DataFrame] = _no_rows
    areas: Callable[[], Areas | None] = _no_areas
    registry: Callable[[], pl.DataFrame] = _no_registry
    now: Callable[[], datetime | None] = _no_clock


def digest_of(*parts: object) -> str:
    """A short digest of JSON values for a memory, the same in every run.

    Letters only: the door looks through what is remembered, and takes digits in a row for a telephone number.
    """
    written = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:_DIGEST_LETTERS].translate(_NO_DIGITS)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery before the door.

    Attributes:
        origin: file name, or address without its query.
        tables: per table the text columns and `line` (1-based; the header of a file is line 1, over HTTP
            the position in the crawl).
        supplied_at: the supplier's own time of the delivery (UTC); its version where rows have none.
        complete_until: up to where it speaks (UTC); None when the rows themselves say so.
        original: the supplier's own bytes, where they came as one file.
        withheld: by reason, how many rows were not let in; nothing of them is kept.
        memory: what the next delivery of this source finds in its context (JSON); None leaves it as it is.
        faults: by part of the supplier that failed while the rest came, why. Nothing of such a part is in the tables,
            the memory lets the next pull ask it again, and `complete_until` does not speak for it.
        warnings: what somebody should know although everything came (a clock that runs ahead).
        titles: per table how its file writes our columns, where it does not write them as we do.
        is_full: per table that the delivery speaks of, even without a row, whether it holds all of it or what changed;
            of a table that is not named, only its rows speak.
    """

    origin: str
    tables: Mapping[str, pl.DataFrame]
    supplied_at: datetime
    complete_until: datetime | None = None
    original: bytes | None = None
    withheld: Mapping[str, int] = field(default_factory=dict)
    memory: Mapping[str, object] | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    is_full: Mapping[str, bool] = field(default_factory=dict)
