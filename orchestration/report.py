"""Tables for a terminal: targets, deliveries, and where everything lies."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.alerts import wording
from orchestration.quality import data_docs_index
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.published.parquet import read_table
from warehouse.published.pointer import current

if TYPE_CHECKING:
    from orchestration.loop.rotation import Rotated

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
    "contested",
    "on_track",
    "reached",
    "monitored",
    "not_started",
    "cancelled",
)
_UNJUDGED = "no_data"
_DOZEN = 12
_LONGEST_KPI = 30
_STATUS_WIDTH = 22
_WIDE = 72


def published_frame(settings: Settings, table: str) -> pl.DataFrame:
    """A table of the published build, as `schema.table`."""
    build_id = current(settings.layout.published)
    if build_id is None:
        raise LookupError(f"nothing is published yet under {settings.layout.root}; run `ademruimte build`")
    return read_table(settings.layout.published, build_id, table)


def print_targets(console: Console, settings: Settings) -> None:
    """One sentence per target, by department, worst first; those without any data are only counted.

    In Dutch, as department heads read it. A city without a registry has none.
    """
    verdicts = published_frame(settings, "verdicts.fct_target_verdicts")
    if verdicts.is_empty():
        console.print(f"{settings.city.title_nl} heeft geen register van doelen: alleen de cijfers zelf.\n")
        return
    console.print(f"[bold]Doelen van {_headed(settings)}[/], op {_as_of(verdicts)}")
    console.print(_tally(verdicts) + "\n", soft_wrap=False)
    names = published_frame(settings, "marts.dim_department")
    for department, rows in _by_department(verdicts, dict(names.select("department_id", "name_nl").iter_rows())):
        console.print(_department_table(department, rows))
    without = verdicts.filter(pl.col("status") == _UNJUDGED).height
    console.print(f"{verdicts.height} doelen in het register; van {without} zijn er nog geen gegevens.\n")


def _as_of(verdicts: pl.DataFrame) -> str:
    """The city date for which the build judged, as a person reads it."""
    (day,) = verdicts["as_of_date"].unique().to_list()
    return wording.day(day)


def _headed(settings: Settings) -> str:
    label = " – SYNTHETISCHE GEGEVENS (demo)" if settings.layout.is_synthetic else ""
    return f"{settings.city.title_nl}{label}"


def _tally(verdicts: pl.DataFrame) -> str:
    """How many targets have each status, worst first."""
    counted = verdicts.group_by("status", "status_nl").len()
    ranks = _ranks((*_WORST_FIRST, _UNJUDGED))
    rows = sorted(counted.iter_rows(), key=lambda row: ranks.get(row[0], len(ranks)))
    return " · ".join(f"{count} {label}" for _, label, count in rows)


def _by_department(verdicts: pl.DataFrame, names: Mapping[str, str]) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """The judged targets of each department; the department with the worst target comes first."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in _worst_first(verdicts):
        groups.setdefault(names.get(row["department_id"], row["department_id"]), []).append(row)
    return groups.items()


def _department_table(department: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        title=department, title_justify="left", title_style="bold", box=None, show_header=False, padding=(0, 1, 0, 0)
    )
    table.add_column(width=_STATUS_WIDTH, overflow="fold")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(
            f"[{_STYLES.get(row['status'], 'default')}]{escape(row['status_nl'])}[/]", escape(row["sentence_nl"])
        )
    table.add_row("", "")
    return table


def print_kpis(console: Console, settings: Settings) -> None:
    """The newest value of the KPIs that no target rests on, the first dozen.

    A KPI that only smaller areas report has no value of the municipality: their number stands instead.
    """
    newest = _newest_without_target(settings)
    if newest.is_empty():
        return
    table = _table(
        "KPIs without a target", settings, words=("kpi", "ref date", "unit"), numbers=("value", "n", "areas")
    )
    first = newest.head(_DOZEN)
    # a name that is broken cannot be copied; a longer one than this would leave the unit no room
    table.columns[0].min_width = min(max(map(len, first["kpi_id"])), _LONGEST_KPI)
    for row in first.iter_rows(named=True):
        value, n = (row["value"], row["n"]) if row["is_city"] else (None, None)
        numbers = (_number(each) for each in (value, n, row["areas"]))
        table.add_row(row["kpi_id"], str(row["ref_date"]), _unit_or_why_not(row), *numbers)
    console.print(table)
    if newest.height > _DOZEN:
        console.print(f"and {newest.height - _DOZEN} more in marts.fct_kpi_observations.\n")


def _unit_or_why_not(row: Mapping[str, Any]) -> str:
    """The unit of a KPI, with the reason where it has no value (a factor that nobody published, too few persons)."""
    reason = row.get("empty_reason_nl")
    return f"{row['unit']}: {reason}" if reason and row["value"] is None else str(row["unit"])


def _newest_without_target(settings: Settings) -> pl.DataFrame:
    observations = published_frame(settings, "marts.fct_kpi_observations")
    judged = published_frame(settings, "marts.dim_target").select("kpi_id")
    areas = observations.group_by("kpi_id").agg(pl.col("area_id").n_unique().alias("areas"))
    is_city = (pl.col("area_id") == settings.city.area_id).alias("is_city")
    free = observations.join(judged, on="kpi_id", how="anti").with_columns(is_city).join(areas, on="kpi_id")
    return free.sort("kpi_id", "is_city", "ref_date").unique("kpi_id", keep="last", maintain_order=True)


def print_deliveries(console: Console, settings: Settings) -> None:
    """Per source and table what was received and what became of it, over the whole lake.

    `dup.` are rows sent twice, `old` are rows of which the same delivery held a later version; a narrow terminal
    has no room for these two.
    """
    counts = ("batches", "received", "accepted", "refused", "dup.", "old")[: None if console.width >= _WIDE else 4]
    table = _table("Deliveries", settings, words=("table",), numbers=counts)
    shown = ""
    for source, name, *numbers in _delivery_rows(settings):
        if source != shown:
            table.add_row(f"[bold]{source}[/]")
        table.add_row(f"  {name}", *(_number(number) for number in numbers[: len(counts)]))
        shown = str(source)
    console.print(table)


def _table(what: str, settings: Settings, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """An open table that fits 80 columns: words to the left and wrapped, numbers to the right and whole."""
    label = " – SYNTHETIC DATA (demo)" if settings.layout.is_synthetic else ""
    title = f"{what} of {settings.city.title_nl}{label}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in words:
        table.add_column(name, no_wrap=name not in {"table", "kpi", "unit"}, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def print_places(console: Console, settings: Settings) -> None:
    """Where a person finds what was made."""
    layout = settings.layout
    refused, mails = _quarantines(settings), list(layout.mail.glob("*.eml"))
    docs = current(layout.published)
    for what, where in (
        ("published build", _shown(layout.published / "current" / "ademruimte.duckdb")),
        ("as Parquet", _shown(layout.published / "current" / "parquet")),
        ("refused rows", f"{len(refused)} files, such as {_shown(refused[0])}" if refused else "none"),
        ("Data Docs", _shown(data_docs_index(layout.quality / docs)) if docs else "none"),
        ("mails", f"{len(mails)} in {_shown(layout.mail)}"),
    ):
        console.print(f"[bold]{what:>16}[/]  {where}", soft_wrap=True)


def _shown(path: Path) -> str:
    """A path as short as it can be copied."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _worst_first(verdicts: pl.DataFrame) -> Iterable[dict[str, Any]]:
    judged = verdicts.filter(pl.col("status") != _UNJUDGED)
    order = pl.col("status").replace_strict(_ranks(_WORST_FIRST), default=len(_WORST_FIRST), return_dtype=pl.Int64)
    return judged.sort(order, "section", "target_id").iter_rows(named=True)


def _ranks(names: Sequence[str]) -> dict[str, int]:
    return {name: rank for rank, name in enumerate(names)}


def _number(value: object) -> str:
    """At most two decimals, thousands apart; nothing for no value."""
    if not isinstance(value, int | float):
        return ""
    written = f"{value:,.2f}"
    return written.rstrip("0").rstrip(".")


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


def print_rotation(console: Console, rotated: Iterable["Rotated"]) -> None:
    """Every batch that got pseudonyms of a new key, as it happens."""
    count = 0
    for each in rotated:
        count += 1
        console.print(
            f"{each.source}  {each.replaced} -> {each.batch_id}  {each.pseudonyms} pseudonyms  "
            f"key {each.old_key_id} -> {each.new_key_id}",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"{count} batches made again under the newest key; what comes in from now on joins with them")
