"""What the demo came to, in one screen of 80 by 24: who is behind, what was refused, where to look next.

Belongs here: choosing what stands on that screen, and drawing it for the README. Does not belong here: the tables
themselves (`report`).
"""

import io
import re
from collections import Counter
from pathlib import Path

import polars as pl
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration import report
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.published.pointer import current

_WIDTH = 80
_WORST = 5
_A_BUILD = "…"
_FONTS_FROM_OUTSIDE = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


def print_summary(console: Console, settings: Settings, *, there_before: int = 0, build: str | None = None) -> None:
    """The screen; long paths are not folded, so that they can be copied.

    Args:
        console: where it is printed.
        settings: of a published profile.
        there_before: how many deliveries the lake held before this run.
        build: how the published build is called; its id where nothing is said.
    """
    verdicts = report.published_verdicts(settings)
    late = _latest_first(verdicts)
    console.print(f"[bold]{report.headed(settings)}[/] on {report.as_of(verdicts)}")
    console.print(_counted(verdicts) + "\n")
    console.print(_worst(late))
    if late.height > _WORST:
        console.print(f"and {late.height - _WORST} more: ademruimte status --behind")
    console.print(f"\n{_refused(settings)}")
    console.print(_landed(settings, there_before))
    _print_next(console, settings, late)
    line = report.read_only_line(settings.layout, build or str(current(settings.layout.published)))
    console.print(f"  {escape(line)}", soft_wrap=True)


def draw(settings: Settings, picture: Path) -> None:
    """Writes that screen of a first run as an SVG that fetches nothing."""
    console = Console(width=_WIDTH, record=True, file=io.StringIO(), highlight=False, force_terminal=True)
    # an id would be another at every drawing, and wider than the screen
    print_summary(console, settings, build=_A_BUILD)
    code = _FONTS_FROM_OUTSIDE.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "ui-monospace, DejaVu Sans Mono")
    console.save_svg(str(picture), title="make demo", code_format=code, unique_id="demo")


def _latest_first(verdicts: pl.DataFrame) -> pl.DataFrame:
    # once for each figure, and only where every reading of the target agrees
    late = verdicts.filter(pl.col("is_alarm"))
    return late.sort("status", "months_behind", "target_id", descending=[False, True, False], nulls_last=True)


def _counted(verdicts: pl.DataFrame) -> str:
    # late by every reading is late
    agreed = verdicts.filter(~pl.col("is_disputed") | pl.col("is_alarm"))["status"]
    disputed, late = verdicts.height - agreed.len(), int(agreed.is_in(report.BEHIND).sum())
    judged = {word: int((agreed == word.replace(" ", "_")).sum()) for word in ("at risk", "on track", "reached")}
    told = ", ".join(f"{count} {word}" for word, count in judged.items())
    rest = agreed.len() - late - sum(judged.values())
    return (
        f"[bold red]{late} of {verdicts.height} targets are behind[/], {told}, {disputed} disputed, {rest} not judged."
    )


def _worst(late: pl.DataFrame) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("the latest of them", overflow="fold")
    for name in ("figure", "of", "asked then", "late then"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in late.head(_WORST).iter_rows(named=True):
        figures = (report.value_of(row), str(row["ref_date"]), report.asked_of(row), report.lateness(row))
        table.add_row(escape(report.title_of(row)), *figures)
    return table


def _refused(settings: Settings) -> str:
    """How many rows were refused, of how many, by source."""
    refused: Counter[str] = Counter()
    received = 0
    for manifest in Lake(settings.layout.lake).live():
        for counts in manifest.tables.values():
            refused[manifest.source] += counts.quarantined
            received += counts.received
    named = ", ".join(f"{source} {count}" for source, count in refused.most_common() if count)
    return (
        f"[bold]{refused.total()} of {received:,} rows were refused[/], each kept with its reason: {named or 'none'}."
    )


def _landed(settings: Settings, there_before: int) -> str:
    new = len(Lake(settings.layout.lake).manifests()) - there_before
    if not there_before:
        return f"{new} deliveries landed."
    return f"{new or 'No'} new deliveries: {there_before} were there already, from an earlier run."


def _print_next(console: Console, settings: Settings, late: pl.DataFrame) -> None:
    home = report.shown(settings.layout.root.parent)
    console.print(f"\n[bold]Where to look next[/], after `export ADEMRUIMTE_HOME={home}`", soft_wrap=True)
    drivers = report.published_frame(settings, "verdicts.fct_gap_drivers").select("target_id").unique()
    explained = late.join(drivers, on="target_id", how="semi", maintain_order="left").select(
        "target_id", "department_id"
    )
    target, department = next(explained.select("target_id", "department_id").iter_rows(), ("TARGET", ""))
    # that of whoever must know of this target, where there is one
    mails = sorted(settings.layout.mail.glob("*.eml"), key=lambda mail: not mail.stem.endswith(f"-{department}"))
    for line in (
        "make dev  # what arrived and every run, in Dagster",
        f"ademruimte status --why {target}  # why",
        "ademruimte quarantine list  # what was refused, and why",
        *(f"{report.shown(mail)}  # what a department is told" for mail in mails[:1]),
    ):
        command, _, why = line.partition("  # ")
        console.print(f"  {escape(command)}" + (f"  [dim]# {why}[/]" if why else ""), soft_wrap=True)
