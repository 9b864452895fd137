"""The commands that speak to whoever supplies data: `check`, `quarantine` and `contracts`.

Belongs here: what is printed, and the exit code. Does not belong here: what is refused, or what is still open.
What a supplier reads is Dutch; what the data team reads is English. Every table fits 80 columns.
"""

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from orchestration.dbt_project import DBT_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from contracts.vocabulary import SourceContract
    from orchestration.giving_back.lines import Checked
    from orchestration.settings import Settings

_WIDTH = 80
_MOST_LINES = 100
_MOST_OF_A_VALUE = 40

quarantine = typer.Typer(help="Refused lines: list them, or give them back with their reasons.", no_args_is_help=True)
contracts = typer.Typer(help="The published contracts: write them again, or check them.", no_args_is_help=True)

_Source = Annotated[str, typer.Option(help="The source, as `ademruimte status` names it.")]
_Export = Annotated[Path | None, typer.Option(help="Write the refused lines to this .xlsx or .csv.")]
_Pages = Annotated[Path, typer.Option(help="The folder of the pages.")]
_Staging = Annotated[Path, typer.Option(help="The folder of dbt's staging models.")]
_Project = Annotated[Path, typer.Option(help="The folder of the project.")]
_MODELS = DBT_PROJECT / "models"
_STAGING = _MODELS / "staging"


def check(
    file: Annotated[Path, typer.Argument(help="The file you are about to send.")],
    source: _Source,
    export: _Export = None,
) -> None:
    """Tells a supplier, in Dutch, what would be refused of a file and why; nothing is sent or kept."""
    from orchestration.giving_back.lines import check as check_file
    from orchestration.settings import read_settings

    if export is not None and export.resolve() == file.resolve():
        raise typer.BadParameter(f"{file.name}: schrijf de foute regels naar een ander bestand dan dit")
    settings = read_settings()
    contract = _contract(settings, source)
    checked = check_file(file, contract, settings, datetime.now(UTC))
    console = _console()
    if checked.fault:
        console.print(f"{checked.origin}: {checked.fault.dutch}", markup=False)
        console.print(f"(in het Engels: {checked.fault})", markup=False)
        _print_remarks(console, checked)
    else:
        _print_checked(console, contract, checked)
    if export is not None and checked.refused_rows:
        _write(console, checked.refused, contract, export, "regels staan met hun reden in")
    sys.exit(0 if checked.is_fine else 1)


@quarantine.command("list")
def list_lines(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    *,
    closed: Annotated[bool, typer.Option("--all", help="Those that a later delivery put right as well.")] = False,
) -> None:
    """The refused lines that no later delivery put right yet, and the files that were refused whole."""
    from orchestration.giving_back.lines import given_back
    from orchestration.settings import read_settings
    from warehouse.lake import Lake

    settings, console = read_settings(), _console()
    lake = Lake(settings.layout.lake)
    chosen = [_contract(settings, source)] if source else list(settings.contracts().values())
    found = sum(
        _print_lines(console, contract, given_back(lake, contract, settings, closed=closed)) for contract in chosen
    )
    _print_refused_files(console, settings, {contract.name for contract in chosen})
    console.print(f"{found} refused lines{'' if closed else ' are open'}")


@quarantine.command("export")
def export_lines(
    file: Annotated[Path, typer.Argument(help="An .xlsx (a sheet per table) or .csv to write.")],
    source: _Source,
    *,
    closed: Annotated[bool, typer.Option("--all", help="Those that a later delivery put right as well.")] = False,
) -> None:
    """Writes the open refused lines of a source with the reason beside each, to send to its supplier."""
    from orchestration.giving_back.lines import given_back
    from orchestration.settings import read_settings
    from warehouse.lake import Lake

    settings = read_settings()
    contract = _contract(settings, source)
    lines = given_back(Lake(settings.layout.lake), contract, settings, closed=closed)
    _write(_console(), lines, contract, file, "refused lines, each with its reason, stand in")


@contracts.command("write")
def write_pages(
    folder: _Pages = Path("docs/contracts"), staging: _Staging = _STAGING, project: _Project = Path()
) -> None:
    """Generates what follows from the code: pages, ODCS files, templates, staging models, settings, promises."""
    from orchestration.giving_back.generated import write

    faults = _broken_promises(project)
    for files, place, beside in _generated(folder, staging, project, with_marts=not faults):
        for name in write(files, place, beside):
            _console().print(f"{place / name}", markup=False, soft_wrap=True)
    _refuse(faults)


@contracts.command("check")
def check_pages(
    folder: _Pages = Path("docs/contracts"), staging: _Staging = _STAGING, project: _Project = Path()
) -> None:
    """Says which generated files differ from the code, and of what readers count on that changed untold."""
    from orchestration.giving_back.generated import stale

    _refuse(_broken_promises(project))
    generated = _generated(folder, staging, project)
    differing = [place / name for files, place, beside in generated for name in stale(files, place, beside)]
    for path in differing:
        _console().print(f"{path}: is not what the code says", markup=False, soft_wrap=True)
    if differing:
        _console().print("run `ademruimte contracts write`", markup=False)
    sys.exit(1 if differing else 0)


def _broken_promises(project: Path) -> list[str]:
    """What readers of the published tables count on and were not told of."""
    from orchestration.mart_promises import NOTICES, PROMISED, broken, described, read_promised

    notices = project / NOTICES
    told = notices.read_text("utf-8") if notices.exists() else ""
    return list(broken(read_promised(project / PROMISED), described(_MODELS), told))


def _refuse(faults: list[str]) -> None:
    for fault in faults:
        _console().print(fault, markup=False, soft_wrap=True)
    if faults:
        sys.exit(1)


def _generated(
    folder: Path, staging: Path, project: Path, *, with_marts: bool = True
) -> "list[tuple[Mapping[str, bytes], Path, tuple[str, ...] | None]]":
    """What follows from contracts, settings and marts, where it lies, and what lies beside it."""
    from contracts.registry import all_contracts
    from orchestration.giving_back.contract_pages import published
    from orchestration.giving_back.staging_models import OF_THE_LOADER, staging_models
    from orchestration.mart_promises import PROMISED, as_file, described
    from orchestration.settings_pages import settings_pages

    contracts = all_contracts()
    promises = {PROMISED.as_posix(): as_file(described(_MODELS))} if with_marts else {}
    return [
        (published(contracts), folder, ()),
        (staging_models(contracts), staging, (OF_THE_LOADER,)),
        ({**settings_pages(), **promises}, project, None),
    ]


def _console() -> Console:
    # of this call: a test or a pipe may have replaced the standard output since the import
    return Console(highlight=False, width=min(_WIDTH, Console().width))


def _contract(settings: "Settings", source: str) -> "SourceContract":
    contracts_by_name = settings.contracts()
    if source not in contracts_by_name:
        raise typer.BadParameter(f"{settings.city.name} receives {', '.join(contracts_by_name)}; not {source}")
    return contracts_by_name[source]


def _print_checked(console: Console, contract: "SourceContract", checked: "Checked") -> None:
    for name, lines in checked.refused.items():
        _print_reasons(console, contract, name, lines)
    good = checked.received - checked.refused_rows
    console.print(f"{checked.origin}: {checked.received} rijen gelezen, {good} in orde, {checked.refused_rows} fout.")
    _print_remarks(console, checked)


def _print_reasons(console: Console, contract: "SourceContract", name: str, lines: "pl.DataFrame") -> None:
    """Every refused value of a table with its reason, then how often each reason is given."""
    from orchestration.giving_back.lines import reasons_of

    if lines.is_empty():
        return
    reasons = reasons_of(lines, contract.table(name))
    table = _table(("regel", "kolom", "waarde", "wat is er mis"))
    for row in reasons.head(_MOST_LINES).iter_rows(named=True):
        table.add_row(*_cells(row, row["reason_nl"]))
    console.print(table)
    if reasons.height > _MOST_LINES:
        console.print(f"… en nog {reasons.height - _MOST_LINES} andere; met --export krijgt u ze allemaal.")
    for reason, count in Counter(reasons["reason_nl"]).most_common():
        console.print(f"{count:>6} × {reason}", markup=False)


def _print_remarks(console: Console, checked: "Checked") -> None:
    if checked.told_as:
        console.print(f"Bij ons heet dit bestand {checked.told_as}: namen bewaren we niet.", markup=False)
    for reason, count in checked.withheld.items():
        console.print(f"{count} rijen laten we niet binnen: {reason}", markup=False)
    if checked.dropped_columns:
        console.print(f"Deze kolommen lezen we niet: {', '.join(checked.dropped_columns)}.", markup=False)
    for what in checked.not_checked:
        console.print(f"Niet nagekeken: {what}.", markup=False)


def _print_lines(console: Console, contract: "SourceContract", tables: "Mapping[str, pl.DataFrame]") -> int:
    """The refused lines of a source, one table per delivery.

    Returns:
        How many.
    """
    from orchestration.giving_back.lines import reasons_of

    for name, lines in tables.items():
        for title, of_one in _deliveries(contract, name, lines):
            console.print(title, markup=False)
            table = _table(("line", "column", "value", "reason"))
            reasons = reasons_of(of_one, contract.table(name))
            for row in reasons.head(_MOST_LINES).iter_rows(named=True):
                table.add_row(*_cells(row, row["reason"]))
            console.print(table)
            if reasons.height > _MOST_LINES:
                console.print(f"… and {reasons.height - _MOST_LINES} more: `ademruimte quarantine export`")
    return sum(lines.height for lines in tables.values())


def _print_refused_files(console: Console, settings: "Settings", sources: set[str]) -> None:
    """Files of which nothing landed: each still lies in its drop folder."""
    from warehouse.state import State

    if not settings.layout.state.exists():
        return
    with State(settings.layout.state) as state:
        refused = [each for each in state.refusals() if each.source in sources]
    for each in refused:
        console.print(f"refused whole on {each.refused_at:%Y-%m-%d}: {each.reason}", markup=False)


def _deliveries(contract: "SourceContract", name: str, lines: "pl.DataFrame") -> "Iterator[tuple[str, pl.DataFrame]]":
    from orchestration.giving_back.lines import without_pseudonyms
    from orchestration.loop.earlier import CLOSED_BY, PUT_RIGHT

    shown = without_pseudonyms(lines, contract.table(name))
    by = ["batch_id", "origin", CLOSED_BY, PUT_RIGHT]
    for (batch_id, origin, closed_by, is_right), of_one in shown.group_by(by, maintain_order=True):
        state = f"{'put right by' if is_right else 'refused again in'} {closed_by}" if closed_by else "open"
        yield f"{contract.name} {name} · {origin} · batch {batch_id} · {of_one.height} {state}", of_one


def _table(headings: tuple[str, str, str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    number, column, value, reason = headings
    table.add_column(number, justify="right", no_wrap=True)
    table.add_column(column, max_width=20, overflow="fold")
    table.add_column(value, max_width=20, overflow="fold")
    table.add_column(reason, ratio=1)
    return table


def _cells(row: "Mapping[str, object]", reason: str) -> tuple[str, str, str, str]:
    """A row for `rich`, whose brackets would otherwise be markup."""
    from rich.markup import escape

    from contracts.vocabulary import LINE

    value = str(row["value"] or "")
    shown = value if len(value) <= _MOST_OF_A_VALUE else f"{value[:_MOST_OF_A_VALUE]}…"
    column = str(row["column"])
    return str(row[LINE]), escape(column), escape(shown), escape(reason.removeprefix(f"{column}: "))


def _write(
    console: Console, tables: "Mapping[str, pl.DataFrame]", contract: "SourceContract", file: Path, said: str
) -> None:
    from orchestration.giving_back.lines import ExportError, export

    try:
        count = export(tables, contract, file)
    except ExportError as fault:
        raise typer.BadParameter(str(fault)) from None
    console.print(f"{count} {said} {file}", markup=False, soft_wrap=True)
