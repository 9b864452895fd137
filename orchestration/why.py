"""Why a target is where it is, in the terminal: what holds it back most, as bars.

Belongs here: reading the drivers of the published build and drawing them. What drives a gap is decided in SQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.alerts import drivers, wording
from orchestration.alerts.answering import standings
from orchestration.alerts.answers import Standing
from orchestration.report import published_frame, published_verdicts
from orchestration.settings import Settings

_BAR_WIDTH = 16
_KINDS_NL = {"sector": "Per buurt", "category": "Per soort", "site": "Per gebouw", "step": "Per stap"}
_LATE = ("behind", "at_risk", "overdue")


def print_why(console: Console, settings: Settings, target_id: str) -> None:
    """The sentence of a target and a bar per driver of its gap, in Dutch, within 80 columns.

    Raises:
        LookupError: the register holds no such target; the message names what it looked for.
    """
    verdicts = published_verdicts(settings).filter(pl.col("target_id") == target_id)
    if verdicts.is_empty():
        raise LookupError(f"no target {target_id} in the register; `ademruimte targets list` shows them")
    verdict = verdicts.row(0, named=True)
    console.print(escape(verdict["sentence_nl"]))
    if verdict["story_nl"]:
        console.print(f"Op hetzelfde cijfer rust ook: {escape(verdict['story_nl'])}.")
    for answered in _answered(standings(settings, verdict["as_of_date"]).get(target_id, Standing())):
        console.print(escape(answered))
    if verdict["status"] == "unverified":
        told = verdict["dq_reasons"]
        # a build of before they were one text holds a list
        console.print(f"- {escape(told if isinstance(told, str) else ', '.join(told))}")
    known = published_frame(settings, "verdicts.fct_gap_drivers")
    rows = known.filter(pl.col("target_id") == target_id).sort("rank_no").to_dicts()
    if not rows:
        console.print(_without_drivers(verdict))
        return
    console.print(_headed(rows[0], is_late=verdict["status"] in _LATE))
    kinds = _by_kind(rows)
    for kind in kinds:
        if len(kinds) > 1:
            console.print(f"[bold]{_KINDS_NL.get(kind[0]['driver_type'], '')}[/]")
        console.print(_bars(kind))


def _answered(stands: Standing) -> Iterator[str]:
    """What its department answered, in its own words."""
    if stands.plan and (plan := stands.plan.plan):
        yield f"Plan van {plan.owner}, tegen {wording.day(plan.due_date)}: {plan.action}"
        yield f"Wat er aan de hand is: {plan.fact} Waardoor: {plan.cause}"
    if stands.snooze:
        yield f"Uitgesteld tot {wording.day(stands.snoozed_until)}: {stands.snooze.reason}"
    if stands.dispute:
        yield f"Betwist sinds {wording.day(stands.disputed_on)}: {stands.dispute.reason}"


def _without_drivers(verdict: Mapping[str, Any]) -> str:
    gap, day = verdict["gap"], wording.day(verdict["ref_date"])
    if gap is None:
        return "De cijfers zeggen niet meer dan dit."
    if gap >= 0:
        return f"Op {day} stond dit doel op zijn pad of beter."
    if verdict["status"] in _LATE:
        return f"De cijfers zeggen niet waardoor dit doel op {day} achterbleef."
    return "De cijfers zeggen niet wat dit doel tegenhoudt."


def _by_kind(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The drivers by kind and unit, each kind whole, the kind with the largest driver first."""
    kinds = [list(each) for _, each in groupby(sorted(rows, key=_kind), key=_kind)]
    return sorted(kinds, key=lambda each: min(row["rank_no"] for row in each))


def _kind(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["driver_type"], row["unit"]


def _headed(driver: Mapping[str, Any], *, is_late: bool) -> str:
    if driver["compared_with"] == "path":
        day = wording.day(driver["ref_date"])
        # a norm within its margin, or a figure that nobody verified, is not behind
        question = "Waardoor blijft dit doel achter?" if is_late else "Wat houdt dit doel het meest tegen?"
        return f"\n[bold]{question}[/] Stand op {day}, tegenover het pad."
    return "\n[bold]Wat ging de verkeerde kant op?[/] De laatste twaalf maanden tegenover de twaalf ervoor."


def _bars(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(width=_BAR_WIDTH, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", max_width=24)
    shares = [row["share"] for row in rows]
    for number, (row, percent) in enumerate(zip(rows, _percents(shares), strict=True), start=1):
        bar = "█" * max(1, round(_BAR_WIDTH * row["share"] / max(shares)))
        table.add_row(f"{number}.", escape(row["label_nl"]), bar, f"{percent} %", drivers.amount(row))
    return table


def _percents(shares: Iterable[float]) -> list[int]:
    """Whole percentages that add to a hundred: what rounding loses goes to the largest remainders."""
    exact = [100 * share for share in shares]
    whole = [int(each) for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda number: whole[number] - exact[number])
    for number in by_remainder[: round(sum(exact)) - sum(whole)]:
        whole[number] += 1
    return whole
