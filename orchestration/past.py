"""The targets as they stood on a day, in the terminal: what was said, what is recomputed, and why they differ."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.alerts import wording
from orchestration.loop.changes import CHANGE, Change
from orchestration.loop.history import compared, recomputed, said
from orchestration.report import published_frame
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.withdrawals import standing

_WHY_NL = {
    Change.FIRST: "nog niet gezegd",
    Change.DEFINITION: "andere definitie of regels",
    Change.METHOD: "andere methode",
    Change.NEW_AND_CORRECTED: "nieuwe en verbeterde gegevens",
    Change.NEW: "nieuwe gegevens",
    Change.CORRECTED: "verbeterde gegevens",
    Change.QUALITY: "ander oordeel over de gegevens",
    Change.PACE: "nieuwe gegevens: ander tempo",
    Change.TIME: "de tijd ging voorbij",
    Change.NONE: "",
}
_NOTHING = "niets"
_ANSWER = ("status", "value", "ref_date")


@dataclass(frozen=True)
class Answers:
    """Three answers about every target, and what explains the last one.

    Attributes:
        then: the last row of each target in the log; empty when nothing was said.
        again: the verdict rows that were recomputed on what was known then.
        now: the verdict rows that are published.
        history: the published rows of `fct_target_status_history`.
    """

    then: pl.DataFrame
    again: pl.DataFrame
    now: pl.DataFrame
    history: pl.DataFrame | None = None


def end_of_day(settings: Settings, day: date) -> datetime:
    """The last instant of a city date."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(settings.city.time_zone))
    return midnight - timedelta(microseconds=1)


def days_asked(settings: Settings, as_of: date | None, known_at: date | None, *, now: datetime) -> tuple[date, date]:
    """The day that is asked about and the day by which things were known, where one or both are left out.

    A profile with a date of its own is judged on that date, and commits by the clock on the wall all the same.
    """
    today = settings.as_of(now)
    known = known_at or max(today, now.astimezone(ZoneInfo(settings.city.time_zone)).date())
    return as_of or known_at or today, known


def print_past(  # noqa: PLR0913 - two days and which targets
    console: Console,
    settings: Settings,
    as_of: date,
    known_at: date,
    *,
    target_id: str | None = None,
    with_same: bool = False,
) -> None:
    """Three answers per target: said then, recomputed on what was known then, and published now.

    Args:
        console: where it is printed.
        settings: of the profile.
        as_of: the day that is asked about.
        known_at: with what was known by the end of this day.
        target_id: the only target to show.
        with_same: also show the targets of which nothing differs.

    Raises:
        LookupError: the register holds no such target; the message names what it looked for.
    """
    now = published_frame(settings, "verdicts.fct_target_verdicts")
    if target_id is not None and target_id not in now["target_id"]:
        raise LookupError(f"no target {target_id} in the register; `ademruimte targets list` shows them")
    moment = end_of_day(settings, known_at)
    # the line of every model would push the answer out of sight
    logging.getLogger("ademruimte.dbt").setLevel(logging.WARNING)
    then = said(Lake(settings.layout.lake), as_of, moment, standing(settings.layout.decisions, moment))
    again = recomputed(settings, as_of, moment)
    history = published_frame(settings, "verdicts.fct_target_status_history")
    console.print(
        f"Doelen van {settings.city.title_nl} op {wording.day(as_of)}, met wat bekend was op {wording.day(known_at)}"
    )
    print_answers(console, Answers(then, again, now, history), target_id=target_id, with_same=with_same)


def print_answers(console: Console, answers: Answers, *, target_id: str | None = None, with_same: bool = False) -> None:
    """A table of the three answers with their figures and why they differ; differences first.

    Args:
        console: where it is printed.
        answers: what was said, what is recomputed, and what is published.
        target_id: the only target to show.
        with_same: also show the targets of which nothing differs.
    """
    if answers.then.is_empty():
        console.print("Toen was er nog niets gezegd: alleen de herberekening geeft een antwoord.")
    rows = _side_by_side(answers)
    differing, same = [row for row in rows if row["differs"]], [row for row in rows if not row["differs"]]
    listed = [*differing, *same] if with_same else differing
    shown = [row for row in rows if row["target_id"] == target_id] if target_id else listed
    if shown:
        console.print(_table(shown, _labels(answers)))
    console.print(_counted(len(differing), len(same)))
    if same and not with_same and not target_id:
        console.print("Met --all ziet u ze allemaal, met --target DOEL één doel.")


def _counted(differing: int, same: int) -> str:
    compared_nl = "1 doel" if differing + same == 1 else f"{differing + same} doelen"
    return f"{compared_nl} vergeleken: {differing} met een ander oordeel of een ander cijfer, {same} gelijk."


def _side_by_side(answers: Answers) -> list[dict[str, Any]]:
    """One row per target with the three answers, why they differ and whether they do; in the order of `now`."""
    to_now = _answered(compared(answers.then, answers.now, answers.history), "")
    again = _answered(compared(answers.again, answers.now, answers.history), "_again")
    again = again.drop([f"{name}_now" for name in _ANSWER], strict=False)
    to_again = compared(answers.then, answers.again).select("target_id", pl.col(CHANGE).alias("why_again"))
    titles = answers.now.select("target_id", "title_nl", "unit")
    joined = titles.join(to_now, on="target_id", how="left", maintain_order="left")
    joined = joined.join(again, on="target_id", how="left", maintain_order="left")
    joined = joined.join(to_again, on="target_id", how="left", maintain_order="left")
    return [row | {"differs": _differs(row)} for row in joined.iter_rows(named=True)]


def _answered(rows: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """The status, the value and its day, before and after, and why, under the names of this page."""
    known = [name for name in _ANSWER if f"{name}_before" in rows.columns]
    return rows.select(
        "target_id",
        *(pl.col(f"{name}_before").alias(name + suffix) for name in known),
        *(pl.col(f"{name}_after").alias(f"{name}_now") for name in _ANSWER if f"{name}_after" in rows.columns),
        pl.col(CHANGE).alias("why" + (suffix and "_again_to_now")),
    )


def _differs(row: Mapping[str, Any]) -> bool:
    was_said = row["why"] != Change.FIRST
    answers = [(row[f"status{when}"], row[f"value{when}"]) for when in ("_again", "_now")]
    changed = row["why"] if was_said else row["why_again_to_now"]
    if was_said:
        answers.append((row["status"], row["value"]))
    return len(set(answers)) > 1 or changed != Change.NONE


def _labels(answers: Answers) -> Mapping[str, str]:
    """The Dutch words of every status that one of the answers holds."""
    every = (answers.then, answers.again, answers.now)
    named = [answer.select("status", "status_nl") for answer in every if "status_nl" in answer.columns]
    return dict(pl.concat(named).unique().drop_nulls().iter_rows())


def _table(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, expand=True)
    # the longest word of a title stays whole in 80 columns
    table.add_column("Doel", width=22, overflow="fold", header_style="bold")
    for heading in ("Gezegd", "Herberekend", "Gepubliceerd", "Waarom"):
        table.add_column(heading, ratio=1, overflow="fold", header_style="bold")
    for row in rows:
        cells = (_answer(row, when, labels) for when in ("", "_again", "_now"))
        table.add_row(escape(row["title_nl"]), *map(escape, cells), escape(_why(row)))
    return table


def _answer(row: Mapping[str, Any], when: str, labels: Mapping[str, str]) -> str:
    """A status in words, and the figure it is about."""
    status, value = row.get(f"status{when}"), row.get(f"value{when}")
    if status is None:
        return _NOTHING
    word = labels.get(status, str(status))
    if value is None:
        return word
    return f"{word}: {wording.figure(value, row['unit'])} op {wording.day(row.get(f'ref_date{when}'))}"


def _why(row: Mapping[str, Any]) -> str:
    """Why now differs from what was said, and why what is recomputed does; without a word of then, why now differs."""
    if row["why"] == Change.FIRST:
        return _WHY_NL[Change(row["why_again_to_now"])]
    reasons = [_WHY_NL[Change(row["why"])]]
    if row["why_again"] != Change.NONE:
        reasons.append(f"herberekend: {_WHY_NL[Change(row['why_again'])]}")
    return "; ".join(reason for reason in reasons if reason)
