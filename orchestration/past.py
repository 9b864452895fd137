"""The targets as they stood on a day, in the terminal: what was said, what is recomputed, and why they differ."""

import logging
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from orchestration.alerts import wording
from orchestration.loop.changes import CHANGE, Change, with_change
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
_NOT_SAID = "niets"
_INDENT = (0, 0, 0, 2)


def end_of_day(settings: Settings, day: date) -> datetime:
    """The last instant of a city date."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(settings.city.time_zone))
    return midnight - timedelta(microseconds=1)


def print_past(console: Console, settings: Settings, as_of: date, known_at: date) -> None:
    """Three answers per target: said then, recomputed on what was known then, and published now."""
    moment = end_of_day(settings, known_at)
    # the line of every model would push the answer out of sight
    logging.getLogger("ademruimte.dbt").setLevel(logging.WARNING)
    then = said(Lake(settings.layout.lake), as_of, moment)
    again = recomputed(settings, as_of, moment)
    now = published_frame(settings, "verdicts.fct_target_verdicts")
    console.print(
        f"Doelen van {settings.city.title_nl} op {wording.day(as_of)}, met wat bekend was op {wording.day(known_at)}"
    )
    print_answers(console, then, again, now)


def print_answers(console: Console, then: pl.DataFrame, again: pl.DataFrame, now: pl.DataFrame) -> None:
    """The targets of which the three answers differ, with why.

    Args:
        console: where it is printed.
        then: the last row of each target in the log; empty when nothing was said.
        again: the verdict rows that were recomputed.
        now: the verdict rows that are published.
    """
    if then.is_empty():
        console.print("Toen was er nog niets gezegd: alleen de herberekening geeft een antwoord.")
    rows = _differing(then, again, now)
    for row in rows:
        console.print(f"[bold]{escape(row['title_nl'])}[/]")
        console.print(Padding(escape(row["told"]), _INDENT))
    if not rows:
        console.print("Geen enkel doel kreeg een ander oordeel dan nu.")
    compared_nl = "1 doel" if again.height == 1 else f"{again.height} doelen"
    console.print(f"{compared_nl} vergeleken; {len(rows)} met een ander oordeel of een ander cijfer.")


def _differing(then: pl.DataFrame, again: pl.DataFrame, now: pl.DataFrame) -> list[dict[str, str]]:
    """The targets of which the three answers are not one, with why today's differs from the one of then.

    What was said is the answer of then; where nothing was, what is recomputed.
    """
    labels = _labels(then, again, now)
    against = compared(then if then.height else again, now)
    # where what was said still stands, the difference is with what is recomputed
    recalled = with_change(again, now).select("target_id", pl.col(CHANGE).alias("change_again"))
    status_again = again.select("target_id", pl.col("status").alias("status_again"))
    both = against.join(status_again, on="target_id", how="left").join(recalled, on="target_id", how="left")
    differs = (pl.col(CHANGE) != Change.NONE) | pl.col("status_again").ne_missing(pl.col("status_after"))
    rows = both.filter(differs).iter_rows(named=True)
    return [_worded(row, labels, is_said=bool(then.height)) for row in rows]


def _labels(*answers: pl.DataFrame) -> Mapping[str, str]:
    """The Dutch words of every status that one of the answers holds."""
    named = [answer.select("status", "status_nl") for answer in answers if "status_nl" in answer.columns]
    return dict(pl.concat(named).unique().drop_nulls().iter_rows())


def _worded(row: Mapping[str, Any], labels: Mapping[str, str], *, is_said: bool) -> dict[str, str]:
    def label(status: str | None) -> str:
        return labels.get(status or "", status or _NOT_SAID)

    before = label(row.get("status_before")) if is_said else _NOT_SAID
    why = _WHY_NL[Change(row[CHANGE])] or _WHY_NL[Change(row["change_again"])]
    told = f"gezegd: {before}; herberekend: {label(row['status_again'])}; nu: {label(row['status_after'])}"
    return {"title_nl": row["title_nl"], "told": f"{told} ({why})" if why else told}
