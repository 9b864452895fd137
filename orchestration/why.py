"""Why a target is where it is, in the terminal: what holds it back most, as bars.

Belongs here: reading the drivers of the published build and drawing them. What drives a gap is decided in SQL.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.alerts import wording
from orchestration.report import published_frame
from orchestration.settings import Settings

_BAR_WIDTH = 16


def print_why(console: Console, settings: Settings, target_id: str) -> None:
    """The sentence of a target and a bar per driver of its gap, in Dutch, within 80 columns.

    Raises:
        LookupError: the register holds no such target; the message names what it looked for.
    """
    verdicts = published_frame(settings, "verdicts.fct_target_verdicts").filter(pl.col("target_id") == target_id)
    if verdicts.is_empty():
        raise LookupError(f"no target {target_id} in the register; `ademruimte targets list` shows them")
    console.print(escape(verdicts["sentence_nl"].item()))
    if verdicts["status"].item() == "unverified":
        for reason in verdicts["dq_reasons"].item():
            console.print(f"- {escape(reason)}")
    drivers = published_frame(settings, "verdicts.fct_gap_drivers")
    rows = drivers.filter(pl.col("target_id") == target_id).sort("rank_no").to_dicts()
    if not rows:
        console.print("Er is geen achterstand, of de cijfers zeggen niet waar ze vandaan komt.")
        return
    console.print(_headed(rows[0]))
    console.print(_bars(rows))


def _headed(driver: Mapping[str, Any]) -> str:
    if driver["compared_with"] == "path":
        return f"\n[bold]Wat houdt dit doel tegen?[/] Stand op {wording.day(driver['ref_date'])}, tegenover het pad."
    return "\n[bold]Wat houdt dit doel tegen?[/] De laatste twaalf maanden tegenover de twaalf ervoor."


def _bars(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(width=_BAR_WIDTH, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", max_width=24)
    largest = max(row["share"] for row in rows)
    for row in rows:
        bar = "█" * max(1, round(_BAR_WIDTH * row["share"] / largest))
        table.add_row(f"{row['rank_no']}.", escape(row["label_nl"]), bar, _percent(row["share"]), _amount(row))
    return table


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


def _amount(row: Mapping[str, Any]) -> str:
    """How much a driver holds back, and how long it has been waiting where it waits."""
    amount = wording.amount(row["contribution"], row["unit"])
    return amount if row["median_days"] is None else f"{amount}, al {round(row['median_days'])} dagen"
