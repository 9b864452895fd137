"""What a source may know beside the wire, out of the profile and the lake."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import polars as pl

from ingestion.delivery import Context
from ingestion.errors import SupplierError, TransientSupplierError
from orchestration.registry.seeds import registry_units
from orchestration.settings import Settings
from warehouse.lake import Lake

_Answer = TypeVar("_Answer")


def context_of(settings: Settings, lake: Lake, memory: Mapping[str, object] | None = None) -> Context:
    """What a source may know of the profile and the lake; it is shown no clock."""
    return Context(
        city=settings.city,
        memory=memory or {},
        rows=partial(accepted_rows, lake),
        areas=partial(_our_own, settings.areas, "the boundaries (ADEMRUIMTE_BOUNDARIES)"),
        registry=partial(_our_own, partial(registry_units, settings), "the registry in dbt_project/seeds"),
    )


def clock_from(settings: Settings, now: datetime) -> Callable[[], datetime | None]:
    """Our own clock, which goes on from a moment; it shows None where time stands still."""
    began = time.monotonic()
    return lambda: None if settings.fixed_as_of else now + timedelta(seconds=time.monotonic() - began)


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
