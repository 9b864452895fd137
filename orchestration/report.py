"""Tables for a terminal: targets, deliveries, and where everything lies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.alerts import wording
from orchestration.alerts.answering import standings
from orchestration.alerts.answers import Standing
from orchestration.data_docs import data_docs_index
from orchestration.settings import Settings
from warehouse.frames import with_texts
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.published.parquet import read_table
from warehouse.published.pointer import DATABASE, POINTER, current, folder_of

if TYPE_CHECKING:
    from orchestration.loop.rotation import Rotated

_STYLES = {
    "behind": "bold red",
    "overdue": "bold red",
    "awaiting_figure": "magenta",
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
    "awaiting_figure",
    "unverified",
    "stale",
    "contested",
    "on_track",
    "reached",
    "monitored",
    "not_started",
    "cancelled",
)
BEHIND = ("behind", "overdue")
_UNJUDGED = "no_data"
# why a target is not held against its path
_WHY_NOT = {
    "cancelled": "this target no longer holds",
    "contested": "cannot be judged yet: a question about it is open",
}
_WHY_EMPTY = {
    "te weinig gemeten": "too little was measured",
    "factor ontbreekt": "a factor is missing",
    "geen uitstoot in 2019": "no emissions in 2019",
    "geen verbruik in 2019": "no use in 2019",
    "graaddagen ontbreken": "degree days are missing",
    "minder dan vijf gezinnen": "fewer than five households",
    "minder dan vijf gezinnen, of daaruit te herleiden": "fewer than five households, or they could be derived",
    "minder dan vijf vragen": "fewer than five questions",
    "minder dan vijf laadsessies": "fewer than five charging sessions",
}
# what an earlier version did not say of a target
_NEWEST_COLUMN = "is_alarm"
_DOZEN = 12
_LONGEST_KPI = 30
_STATUS_WIDTH = 16
_YEARS_FROM = 36
_WIDE = 72


def published_frame(settings: Settings, table: str) -> pl.DataFrame:
    """A table of the published build, as `schema.table`."""
    build_id = current(settings.layout.published)
    if build_id is None:
        raise LookupError(f"nothing is published yet under {settings.layout.root}; run `ademruimte build`")
    return with_texts(read_table(settings.layout.published, build_id, table))


def published_verdicts(settings: Settings) -> pl.DataFrame:
    """The verdicts of the published build.

    Raises:
        LookupError: there is none, or an earlier version made it; the message says what to do.
    """
    verdicts = published_frame(settings, "verdicts.fct_target_verdicts")
    if _NEWEST_COLUMN not in verdicts.columns:
        raise LookupError("the published build was made by an earlier version; run `ademruimte build`")
    return verdicts


def print_targets(
    console: Console, settings: Settings, *, department: str | None = None, only_behind: bool = False
) -> None:
    """A line per target, by department, worst first; those without any data are only counted.

    Args:
        console: where it is printed.
        settings: of the profile; a city without a registry has no targets.
        department: the only department to show, by its code or name.
        only_behind: show only what is behind or overdue.

    Raises:
        LookupError: no department has that code or name; the message names those that have targets.
    """
    verdicts = published_verdicts(settings)
    if verdicts.is_empty():
        console.print(f"{settings.city.title_nl} has no register of targets: only the figures themselves.\n")
        return
    names = published_frame(settings, "marts.dim_department").join(verdicts, on="department_id", how="semi")
    asked = verdicts if department is None else _of_department(verdicts, names, department)
    console.print(f"[bold]Targets of {headed(settings)}[/] on {as_of(verdicts)}")
    console.print(tally(asked) + "\n")
    shown = asked.filter(pl.col("status").is_in(BEHIND)) if only_behind else asked
    answered = standings(settings, verdicts["as_of_date"][0])
    for title, rows in _by_department(shown, dict(names.select("department_id", "name_en").iter_rows())):
        console.print(_department_table(title, rows, answered))
    if shown.is_empty():
        console.print("none of these is behind\n")
    _print_method_changes(console, settings, asked)
    without = asked.filter(pl.col("status") == _UNJUDGED).height
    console.print(f"{asked.height} targets in the register; of {without} there are no data yet.\n")


def _print_method_changes(console: Console, settings: Settings, asked: pl.DataFrame) -> None:
    """What another method or definition made of a target: no news of the city, so it stands apart."""
    changes = published_frame(settings, "verdicts.fct_method_changes")
    mine = changes.join(asked.select("target_id"), on="target_id", how="semi", maintain_order="left")
    if mine.is_empty():
        return
    console.print("[bold]Judged otherwise by another method or definition[/]: no change of the city")
    for row in mine.iter_rows(named=True):
        became = f"{_label(row['former_status'])} -> {_label(row['status'])}"
        console.print(f"{escape(title_of(row))}: {became}, since {row['changed_on']} [dim]({row['target_id']})[/]")
    console.print()


def _of_department(verdicts: pl.DataFrame, names: pl.DataFrame, asked: str) -> pl.DataFrame:
    found = [
        row for row in names.iter_rows(named=True) if asked.casefold() in {str(v).casefold() for v in row.values()}
    ]
    if not found:
        known = ", ".join(sorted(names["department_id"]))
        raise LookupError(f"no department {asked!r} has targets; there are: {known}")
    return verdicts.filter(pl.col("department_id") == found[0]["department_id"])


def as_of(verdicts: pl.DataFrame) -> str:
    """The city date for which the build judged."""
    (day,) = verdicts["as_of_date"].unique().to_list()
    return str(day)


def headed(settings: Settings) -> str:
    """The city, marked where its data are invented."""
    label = " – SYNTHETIC DATA (demo)" if settings.layout.is_synthetic else ""
    return f"{settings.city.title_nl}{label}"


def tally(verdicts: pl.DataFrame) -> str:
    """How many targets have each status, worst first."""
    counts = dict(verdicts.group_by("status").len().iter_rows())
    ranks = _ranks((*_WORST_FIRST, _UNJUDGED))
    return " · ".join(
        f"{counts[each]} {_label(each)}" for each in sorted(counts, key=lambda s: ranks.get(s, len(ranks)))
    )


def _label(status: str) -> str:
    return wording.status_en(status)


def title_of(target: Mapping[str, Any]) -> str:
    """The English title of a target, where the registry gives one."""
    return str(target["title_en"] or target["title_nl"])


def _told(target: Mapping[str, Any], stands: Standing) -> str:
    """A target in a line: its value and its day, what was asked then and is asked today, or why it is not judged."""
    return f"{title_of(target)}: {'; '.join([*_position(target), *_reservations(target), *_answered(stands)])}"


def _answered(stands: Standing) -> Iterator[str]:
    """What its department answered; in its own words, which are Dutch, it stands in `--why`."""
    if stands.plan and stands.plan.plan:
        yield f"planned for {stands.plan.plan.due_date}, --why says what"
    if stands.snoozed_until:
        yield f"snoozed until {stands.snoozed_until}"
    if stands.disputed_on:
        yield f"called wrong on {stands.disputed_on}, --why says why"


def _position(target: Mapping[str, Any]) -> Iterator[str]:
    status = target["status"]
    if status in _WHY_NOT:
        yield _WHY_NOT[status]
        return
    if status == "not_started":
        yield f"begins on {target['baseline_date']}"
        return
    if target["value"] is None:
        yield "no figure that counts yet, --why says why"
        return
    unit = "" if _is_milestone(target) else f" {wording.unit_en(target['unit']).removeprefix('% ')}"
    yield f"{value_of(target)}{unit} on {target['ref_date']}"
    if status == "unverified":
        yield "this figure is not verified yet, --why says why"
    elif status == "stale":
        yield f"nothing newer by {target['as_of_date']}"
    elif status == "reached" and target["reached_on"] and target["reached_on"] != target["ref_date"]:
        yield f"reached on {target['reached_on']} with {_figure(target, target['reached_value'])}"
    elif status in {"overdue", "awaiting_figure"}:
        yield f"{_figure(target, target['target_value'])} was due on {target['target_date']}"
    elif status in {"behind", "at_risk", "on_track"}:
        yield from _path(target)


def _reservations(target: Mapping[str, Any]) -> Iterator[str]:
    if target["is_open_ended"]:
        yield "no end date"
    if target["is_disputed"]:
        yield f"disputed: its {target['n_readings']} readings do not agree, --why says what each says"


def _path(target: Mapping[str, Any]) -> Iterator[str]:
    if _is_milestone(target):
        yield f"due on {target['target_date']}"
    elif target["required_value"] is not None:
        asked = f"asked then: {asked_of(target)}"
        yield f"{asked}, {lateness(target)} behind" if lateness(target) else asked
        today = _figure(target, target["required_today"])
        if target["required_today"] is not None and today != asked_of(target):
            yield f"asked on {target['as_of_date']}: {today}"


def _is_milestone(target: Mapping[str, Any]) -> bool:
    return str(target["unit"]).startswith("milestone")


def value_of(target: Mapping[str, Any]) -> str:
    """The value of a target as it is read, without its unit."""
    return _figure(target, target["value"])


def asked_of(target: Mapping[str, Any]) -> str:
    """What the path of a target asked on the day of its value; of one that is overdue, what it had to reach."""
    return _figure(target, target["required_value"])


def _figure(target: Mapping[str, Any], value: float | None) -> str:
    if _is_milestone(target):
        return "done" if (value or 0) >= 1 else "not done yet"
    return _number(value) + (" %" if str(target["unit"]).startswith("%") else "")


def lateness(target: Mapping[str, Any]) -> str:
    """How long before the day of its value the path asked for it; empty where it does not say, or is not late."""
    months = target["months_behind"]
    if months is None or round(months) < 1:
        return ""
    if months >= _YEARS_FROM:
        return f"{_number(round(months / 12, 1))} years"
    return "1 month" if round(months) == 1 else f"{round(months)} months"


def _by_department(verdicts: pl.DataFrame, names: Mapping[str, str]) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """The judged targets of each department; the department with the worst target comes first."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in _worst_first(verdicts):
        groups.setdefault(names.get(row["department_id"], row["department_id"]), []).append(row)
    return groups.items()


def _department_table(department: str, rows: Sequence[Mapping[str, Any]], answered: Mapping[str, Standing]) -> Table:
    table = Table(
        title=department, title_justify="left", title_style="bold", box=None, show_header=False, padding=(0, 1, 0, 0)
    )
    table.add_column(width=_STATUS_WIDTH, overflow="fold")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(
            f"[{_STYLES.get(row['status'], 'default')}]{escape(_label(row['status']))}[/]",
            f"{escape(_told(row, answered.get(row['target_id'], Standing())))} [dim]({row['target_id']})[/]",
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
    counts = ("value", "n", "areas")[: None if console.width >= _WIDE else 1]
    table = _table("KPIs without a target", settings, words=("kpi", "ref date", "unit"), numbers=counts)
    first = newest.head(_DOZEN)
    # a name that is broken cannot be copied; a longer one than this would leave the unit no room
    table.columns[0].width = min(max(map(len, first["kpi_id"])), _LONGEST_KPI)
    for row in first.iter_rows(named=True):
        value, n = (row["value"], row["n"]) if row["is_city"] else (None, None)
        numbers = [_number(each) for each in (value, n, row["areas"])]
        table.add_row(row["kpi_id"], str(row["ref_date"]), _unit_or_why_not(row), *numbers[: len(counts)])
    console.print(table)
    if newest.height > _DOZEN:
        console.print(f"and {newest.height - _DOZEN} more in marts.fct_kpi_observations.\n")


def _unit_or_why_not(row: Mapping[str, Any]) -> str:
    """The unit of a KPI, with the reason where it has no value (a factor that nobody published, too few persons)."""
    reason, _, of = (row.get("empty_reason_nl") or "").partition(": ")
    if not reason or row["value"] is not None:
        return str(row["unit"])
    lacking = of.replace("elektriciteit", "electricity")
    return f"{row['unit']}: {_WHY_EMPTY.get(reason, reason)}" + (f" ({lacking})" if of else "")


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
    title = f"{what} of {headed(settings)}"
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
    build = current(layout.published)
    for what, where in (
        ("published build", read_only_line(layout, build) if build else "none"),
        ("for Power BI", shown(layout.published / POINTER) if build else "none"),
        ("refused rows", f"{len(refused)} files, such as {shown(refused[0])}" if refused else "none"),
        ("Data Docs", shown(data_docs_index(layout.quality / build)) if build else "none"),
        ("mails", f"{len(mails)} in {shown(layout.mail)}"),
    ):
        console.print(f"[bold]{what:>16}[/]  {where}", soft_wrap=True)


def read_only_line(layout: Layout, build: str) -> str:
    """How a person opens a published build: never for writing, or nobody else can read it meanwhile.

    In its own folder: through the link to the newest, what stays open and what is opened next may be two builds.
    """
    return f"duckdb -readonly {shown(folder_of(layout.published, build) / DATABASE)}"


def shown(path: Path) -> str:
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
