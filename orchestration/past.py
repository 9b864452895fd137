"""The targets as they stood on a day, in the terminal: what was said, what is recomputed, and why they differ."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from orchestration.alerts import wording
from orchestration.loop.changes import CHANGE, Change
from orchestration.loop.history import compared, recomputed, said
from orchestration.report import published_frame
from orchestration.settings import Settings
from warehouse.lake import Lake

_WHY_NL = {
    Change.FIRST: "nog niet gezegd",
    Change.DEFINITION: "andere definitie",
    Change.NEW: "nieuwe gegevens",
    Change.CORRECTED: "verbeterde gegevens",
    Change.QUALITY: "ander oordeel over de gegevens",
    Change.PACE: "ander tempo",
    Change.TIME: "de tijd ging voorbij",
    Change.NONE: "",
}
_NOT_SAID = "–"


def end_of_day(settings: Settings, day: date) -> datetime:
    """The last instant of a city date."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(settings.city.time_zone))
    return midnight - timedelta(microseconds=1)


def print_past(console: Console, settings: Settings, as_of: date, known_at: date) -> None:
    """Three answers per target: said then, recomputed on what was known then, and published now."""
    moment = end_of_day(settings, known_at)
    then = said(Lake(settings.layout.lake), as_of, moment)
    again = recomputed(settings, as_of, moment)
    now = published_frame(settings, "verdicts.fct_target_verdicts")
    console.print(
        f"Doelen van {settings.city.title_nl} op {wording.day(as_of)}, met wat bekend was op {wording.day(known_at)}"
    )
    if then.is_empty():
        console.print("Toen was er nog niets gezegd: alleen de herberekening geeft een antwoord.")
    rows = _differing(then, again, now)
    console.print(_table(rows) if rows else "Geen enkel doel kreeg een ander oordeel dan nu.")
    console.print(f"{again.height} doelen vergeleken; {len(rows)} met een ander oordeel of een ander cijfer.")


def _differing(then: pl.DataFrame, again: pl.DataFrame, now: pl.DataFrame) -> list[dict[str, Any]]:
    """The targets of which the three answers are not one, with why today's differs from the one of then.

    What was said is the answer of then; where nothing was, what is recomputed.
    """
    labels = dict(now.select("status", "status_nl").unique().iter_rows())
    against = compared(then if then.height else again, now)
    both = against.join(again.select("target_id", pl.col("status").alias("status_again")), on="target_id", how="left")
    differs = (pl.col(CHANGE) != Change.NONE) | pl.col("status_again").ne_missing(pl.col("status_after"))
    rows = both.filter(differs).iter_rows(named=True)
    return [_worded(row, labels, is_said=bool(then.height)) for row in rows]


def _worded(row: Mapping[str, Any], labels: Mapping[str, str], *, is_said: bool) -> dict[str, Any]:
    def label(status: str | None) -> str:
        return labels.get(status or "", status or _NOT_SAID)

    return {
        "doel": row["title_nl"],
        "gezegd": label(row.get("status_before")) if is_said else _NOT_SAID,
        "herberekend": label(row["status_again"]),
        "nu": label(row["status_after"]),
        "waarom": _WHY_NL[Change(row[CHANGE])],
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    return table
