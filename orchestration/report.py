"""Tables for a terminal: targets, deliveries, and where everything lies."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from orchestration.settings import Settings
from warehouse.engine import frame, open_published
from warehouse.lake import Lake

_STYLES = {
    "behind": "bold red",
    "overdue": "bold red",
    "at_risk": "yellow",
    "on_track": "green",
    "reached": "bold green",
    "unverified": "magenta",
    "stale": "magenta",
}
_WORST_FIRST = (
    "behind",
    "overdue",
    "at_risk",
    "unverified",
    "stale",
    "on_track",
    "reached",
    "monitored",
    "not_started",
)
_UNJUDGED = "no_data"


def published_frame(settings: Settings, table: str) -> pl.DataFrame:
    """A table of the published build, as `schema.table`."""
    with open_published(settings.layout.published / "current" / "ademruimte.duckdb") as con:
        return frame(con, f"select * from {table}")  # noqa: S608 - our own names, never input


def print_targets(console: Console, settings: Settings) -> None:
    """Targets worst first; those without any data are counted below."""
    verdicts = published_frame(settings, "verdicts.fct_target_verdicts")
    table = Table(title=_title("Targets", settings), title_justify="left")
    for name in ("target", "value", "path", "gap", "status", "data until"):
        table.add_column(name, justify="right" if name in {"value", "path", "gap"} else "left", overflow="fold")
    for row in _worst_first(verdicts):
        table.add_row(*_target_cells(row), style=_STYLES.get(row["status"]))
    console.print(table)
    without = verdicts.filter(pl.col("status") == _UNJUDGED).height
    console.print(f"{verdicts.height} targets in the registry; {without} have no data yet (no_data).")


def print_kpis(console: Console, settings: Settings) -> None:
    """The newest value of every KPI of the municipality, for a city without a registry of targets."""
    observations = published_frame(settings, "marts.fct_kpi_observations")
    newest = observations.filter(pl.col("area_id") == settings.city.area_id).sort("kpi_id", "ref_date")
    table = Table(title=_title("KPIs", settings), title_justify="left")
    for name in ("kpi", "value", "unit", "n", "ref date"):
        table.add_column(name, justify="right" if name in {"value", "n"} else "left", overflow="fold")
    for row in newest.unique("kpi_id", keep="last", maintain_order=True).iter_rows(named=True):
        table.add_row(row["kpi_id"], _number(row["value"]), row["unit"], str(row["n"] or ""), str(row["ref_date"]))
    console.print(table)


def print_deliveries(console: Console, settings: Settings) -> None:
    """Per source and table what was received and what became of it, over the whole lake."""
    table = Table(title=_title("Deliveries", settings), title_justify="left")
    for name in ("source", "table", "batches", "received", "accepted", "refused", "duplicate", "superseded"):
        table.add_column(name, justify="left" if name in {"source", "table"} else "right", overflow="fold")
    for row in _delivery_rows(settings):
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


def print_places(console: Console, settings: Settings) -> None:
    """Where a person finds what was made."""
    layout = settings.layout
    docs = sorted(layout.quality.glob("*/**/index.html"))
    refused = _quarantines(settings)
    mails = sorted(layout.mail.glob("*.eml"))
    for what, where in (
        ("published build", layout.published / "current" / "ademruimte.duckdb"),
        ("as Parquet", layout.published / "current" / "parquet"),
        ("refused rows", f"{len(refused)} files, e.g. {refused[0]}" if refused else "none"),
        ("Data Docs", docs[-1] if docs else "none"),
        ("mails", f"{len(mails)} in {layout.mail}"),
    ):
        console.print(f"[bold]{what:>16}[/]  {where}", soft_wrap=True)


def _title(what: str, settings: Settings) -> str:
    label = " – SYNTHETIC DATA (demo)" if settings.layout.is_synthetic else ""
    return f"{what} of {settings.city.title_nl}{label}"


def _worst_first(verdicts: pl.DataFrame) -> Iterable[dict[str, Any]]:
    judged = verdicts.filter(pl.col("status") != _UNJUDGED)
    order = pl.col("status").replace_strict(_ranks(_WORST_FIRST), default=len(_WORST_FIRST), return_dtype=pl.Int64)
    return judged.sort(order, "section", "target_id").iter_rows(named=True)


def _ranks(names: Sequence[str]) -> dict[str, int]:
    return {name: rank for rank, name in enumerate(names)}


def _target_cells(row: dict[str, Any]) -> list[str]:
    numbers = (_number(row[name]) for name in ("value", "required_value", "gap"))
    return [str(row["title_nl"]), *numbers, str(row["status"]), str(row["ref_date"] or "")]


def _number(value: object) -> str:
    """At most two decimals, thousands apart; nothing for no value."""
    if not isinstance(value, int | float):
        return ""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _delivery_rows(settings: Settings) -> list[list[object]]:
    totals: dict[tuple[str, str], list[int]] = {}
    for manifest in Lake(settings.layout.lake).live():
        for name, counts in manifest.tables.items():
            total = totals.setdefault((manifest.source, name), [0] * 6)
            row = (1, counts.received, counts.accepted, counts.quarantined, counts.duplicate, counts.superseded)
            totals[manifest.source, name] = [a + b for a, b in zip(total, row, strict=True)]
    return [[source, name, *total] for (source, name), total in sorted(totals.items())]


def _quarantines(settings: Settings) -> list[Path]:
    """The files with refused rows and their reasons."""
    lake = Lake(settings.layout.lake)
    return [
        lake.file(manifest, name, "quarantine")
        for manifest in lake.live()
        for name, counts in manifest.tables.items()
        if counts.quarantined
    ]
