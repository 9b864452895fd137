"""`ademruimte targets …`: the registry of targets as a person reads, checks and edits it."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table as Grid

from orchestration.dbt_project import city_seeds

if TYPE_CHECKING:
    from orchestration.registry.review import Decision
    from orchestration.registry.seeds import Registry, Row
    from orchestration.settings import Settings

app = typer.Typer(help="The registry of targets: read, check, export and edit it.", no_args_is_help=True)
_console = Console(highlight=False)
_MARKS = {"active": "", "contested": "?", "cancelled": "x"}


@dataclass(frozen=True, slots=True)
class _Desk:
    """The registry that the commands work on."""

    settings: "Settings"
    folder: Path


@app.callback()
def choose(
    context: typer.Context,
    seeds: Annotated[Path | None, typer.Option(help="Folder of seeds, when not those of the city profile.")] = None,
) -> None:
    """The registry of targets: read, check, export and edit it."""
    from orchestration.settings import read_settings

    settings = read_settings()
    context.obj = _Desk(settings, seeds or city_seeds(settings.city.name))


@app.command("list")
def list_targets(
    context: typer.Context,
    department: Annotated[str | None, typer.Option(help="Only the targets of this department.")] = None,
) -> None:
    """Every target with its value and deadline; ? is contested, x is cancelled."""
    rows = [row for row in _registry(context)["targets"].rows if department in (None, row["department_id"])]
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("target", "", "department"):
        grid.add_column(name, overflow="fold")
    for name in ("value", "by"):
        grid.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        mark = _MARKS[row["registry_status"]]
        grid.add_row(
            row["target_id"], mark, row["department_id"], row["target_value"] or "-", row["target_date"] or "-"
        )
    _console.print(grid)
    contested, cancelled = (sum(row["registry_status"] == name for row in rows) for name in ("contested", "cancelled"))
    _console.print(f"{len(rows)} targets; {contested} contested (?), {cancelled} cancelled (x).")


@app.command()
def show(
    context: typer.Context, target: Annotated[str, typer.Argument(help="Id, as `targets list` shows it.")]
) -> None:
    """One target: its path, wordings, open questions, decisions, links, owners and denominator."""
    registry = _registry(context)
    found = next((row for row in registry["targets"].rows if row["target_id"] == target), None)
    if found is None:
        raise typer.BadParameter(f"no target {target!r}; {_near(target, registry)}")
    for line in _portrait(found, registry):
        _say(line)


@app.command()
def check(context: typer.Context) -> None:
    """Looks for faults; every one with its line, why, and what to do. Ends with 1 when there are any."""
    from orchestration.registry.faults import faults

    registry = _registry(context)
    found = faults(registry)
    for fault in found:
        _say(str(fault))
    rows = sum(len(table.rows) for table in registry.values())
    _console.print(f"{len(found)} faults in {rows} rows of {len(registry)} seeds.")
    raise typer.Exit(1 if found else 0)


@app.command()
def export(context: typer.Context, file: Annotated[Path, typer.Argument(help="XLSX to write.")]) -> None:
    """Writes the registry as a workbook: one sheet for each seed, with lists to choose from."""
    from orchestration.registry.faults import faults
    from orchestration.registry.seeds import RegistryError
    from orchestration.registry.workbook import write_workbook

    registry = _registry(context)
    found = faults(registry)
    if found:
        raise RegistryError(
            f"nothing was written: the registry has {len(found)} faults; see `ademruimte targets check`"
        )
    write_workbook(registry, file)
    _console.print(f"{len(registry)} sheets in {file}", markup=False, soft_wrap=True)


@app.command("import")
def import_workbook(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="XLSX that `targets export` made, edited.")],
    decided_by: Annotated[str | None, typer.Option(help="Role or body that decided; no person.")] = None,
    decided_on: Annotated[datetime | None, typer.Option(help="Day of the decision.", formats=["%Y-%m-%d"])] = None,
) -> None:
    """Shows what an edited workbook changes; writes it only with --decided-by and --decided-on."""
    from orchestration.registry.workbook import read_workbook

    registry = _registry(context)
    edited = read_workbook(file, registry)
    decision = _decision(context.obj.settings, decided_by, decided_on, "decided")
    _show_or_write(context.obj.folder, registry, edited, decision, "decided")


@app.command("plan")
def take_plan(  # noqa: PLR0913, PLR0917 - each is an option of its own
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="CSV or XLSX that a department filled in.")] = None,
    planned_by: Annotated[str | None, typer.Option(help="Role or body that planned; no person.")] = None,
    planned_on: Annotated[datetime | None, typer.Option(help="Day of the plan.", formats=["%Y-%m-%d"])] = None,
    template: Annotated[Path | None, typer.Option(help="CSV or XLSX to write, for a department to fill in.")] = None,
    of: Annotated[str | None, typer.Option(help="Target or department that the template is for.")] = None,
) -> None:
    """Shows what a plan changes in the paths of targets; writes it only with --planned-by and --planned-on."""
    from orchestration.registry.plans import write_template

    if file is not None and template is None:
        _take(context, file, _decision(context.obj.settings, planned_by, planned_on, "planned"))
    elif template is not None and file is None:
        registry = _registry(context)
        wanted = _wanted(registry, of or "")
        write_template(registry, wanted, template)
        _say(f"a plan to fill in for {len(wanted)} targets in {template}")
    else:
        raise typer.BadParameter("name a FILE to read, or --template OUT to write one: one of the two")


def _take(context: typer.Context, file: Path, decision: "Decision | None") -> None:
    from orchestration.registry.plans import PLANNED, read_plan, with_plan
    from orchestration.registry.review import Decision

    registry = _registry(context)
    # who planned it is still to be named: that change is not shown, but the rest must hold with it
    by = decision or Decision("?", context.obj.settings.as_of(datetime.now(UTC)))
    edited = with_plan(registry, read_plan(file, registry), by)
    _show_or_write(context.obj.folder, registry, edited, decision, "planned", hidden=() if decision else PLANNED)


def _show_or_write(  # noqa: PLR0913 - what changes, who decided, and in which words that is asked
    folder: Path,
    registry: "Registry",
    edited: "Registry",
    decision: "Decision | None",
    option: str,
    *,
    hidden: Collection[str] = (),
) -> None:
    """Shows what an edited registry changes, and writes it where somebody decided so."""
    from orchestration.registry.review import decide, differences, merged

    changes = differences(registry, edited)
    shown = [change for change in changes if change.column not in hidden]
    for line in (*shown, *(_raises(registry, merged(registry, edited, changes)) if changes else ())):
        _say(str(line))
    if not changes:
        _console.print("no difference: nothing to write")
    elif decision is None:
        _console.print(f"{len(shown)} changes, not written: add --{option}-by ROLE and --{option}-on DATE")
    else:
        decide(folder, registry, edited, decision)
        _say(f"{len(changes)} changes written to {folder}; commit them for review")


def _wanted(registry: "Registry", of: str) -> "list[Row]":
    """The targets that a template is for.

    Raises:
        typer.BadParameter: it names no target and no department that has one.
    """
    wanted = [row for row in registry["targets"].rows if of in (row["target_id"], row["department_id"])]
    if not wanted:
        raise typer.BadParameter(f"--of names no target or department ({of or 'it is missing'}); {_near(of, registry)}")
    return wanted


def _registry(context: typer.Context) -> "Registry":
    from orchestration.registry.seeds import read_registry

    return read_registry(context.obj.folder)


def _near(target: str, registry: "Registry") -> str:
    near = difflib.get_close_matches(target, [row["target_id"] for row in registry["targets"].rows])
    return f"near: {', '.join(near)}" if near else "see `ademruimte targets list`"


def _decision(settings: "Settings", by: str | None, on: datetime | None, done: str) -> "Decision | None":
    from orchestration.registry.review import Decision

    if by is None and on is None:
        return None
    if not (by or "").strip() or on is None:
        raise typer.BadParameter(f"--{done}-by and --{done}-on belong together: who {done}, and when")
    if "@" in (by or ""):
        raise typer.BadParameter(f"--{done}-by is an address; write the role or body that {done}")
    if on.date() > settings.as_of(datetime.now(UTC)):
        raise typer.BadParameter(f"--{done}-on {on.date()} is still to come; write the day on which it was {done}")
    return Decision((by or "").strip(), date(on.year, on.month, on.day))


def _raises(today: "Registry", wanted: "Registry") -> Iterator[str]:
    """The definition versions that go up by themselves."""
    for name in ("targets", "denominators"):
        before = {today[name].key_of(row): row["definition_version"] for row in today[name].rows}
        for row in wanted[name].rows:
            key = wanted[name].key_of(row)
            if key in before and before[key] != row["definition_version"]:
                yield f"{name} {' '.join(key)}: definition_version: {before[key]} -> {row['definition_version']}"


def _portrait(target: "Row", registry: "Registry") -> Iterator[str]:
    yield f"{target['target_id']}  ({target['registry_status']}, definition {target['definition_version']})"
    yield f"{target['title_nl']} | {target['title_en']}"
    yield f"section {target['section']}; {target['kind']}; scope {target['scope_variant']}; {target['wording_source']}"
    yield _path(target)
    if target["planned_by"]:
        yield f"planned by {target['planned_by']} on {target['planned_on']}"
    if target["follows"]:
        yield f"a later promise on the figure of {target['follows']}: its path leads along that one"
    if target["value_kpi_id"]:
        yield f"measured by {target['value_kpi_id']}"
    if target["beside_kpi_id"]:
        yield f"beside it stands {target['beside_kpi_id']}, which does not decide"
    if target["deprecated_on"]:
        yield f"lapsed on {target['deprecated_on']}: {target['deprecated_reason']}"
    if target["note_nl"]:
        yield target["note_nl"]
    yield from _part("milestones", _milestones(target, registry))
    yield from _part("wordings", _wordings(target, registry))
    yield from _part("questions and decisions", _decisions(target, registry))
    yield from _part("engagements", _links(target, registry))
    yield from _part("owners", _owners(target, registry))
    yield from _part("denominator", _denominators(target, registry))


def _part(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"\n{title}"
        yield from (f"  {line}" for line in found)


def _path(target: "Row") -> str:
    start = f"{target['baseline_value'] or '?'} on {target['baseline_date'] or 'no date'}"
    end = f"{target['target_value'] or 'no value'} by {target['target_date'] or 'no date'}"
    return f"from {start} to {end}, {target['unit']}; path {target['trajectory']}, series {target['series_kind']}"


def _of(target: "Row", registry: "Registry", seed: str) -> "Iterator[Row]":
    return (row for row in registry[seed].rows if row["target_id"] == target["target_id"])


def _milestones(target: "Row", registry: "Registry") -> Iterator[str]:
    for row in _of(target, registry, "target_milestones"):
        yield f"{row['milestone_date']}: {row['milestone_value']} ({row['interpolation']})"


def _wordings(target: "Row", registry: "Registry") -> Iterator[str]:
    for row in registry["target_wordings"].rows:
        if target["target_id"] in (row["target_id"], row["alias_target_id"]):
            alias = f"; registered as {row['alias_target_id']}" if row["alias_target_id"] else ""
            yield f"{row['section']} {row['relation']}: {row['wording_nl']}{alias}"


def _decisions(target: "Row", registry: "Registry") -> Iterator[str]:
    for row in _of(target, registry, "target_decisions"):
        yield f"{row['question_nl']} [{_decided(row)}]"
        for reading in registry["target_readings"].rows:
            if reading["decision_id"] == row["decision_id"]:
                yield f"  {reading['reading_nl']}"


def _decided(question: "Row") -> str:
    if question["decided_on"]:
        return f"{question['decided_by']}, {question['decided_on']}: {question['decision_nl']}"
    return f"open; may be decided by {question['may_decide_nl']}" if question["may_decide_nl"] else "open"


def _links(target: "Row", registry: "Registry") -> Iterator[str]:
    from orchestration.registry.faults import ENGAGEMENTS

    for row in _of(target, registry, "target_links"):
        seed, column = ENGAGEMENTS[row["framework"]]
        named = next(each for each in registry[seed].rows if each[column] == row["reference"])
        title = named.get("label_nl") or named["title_nl"]
        invented = " [synthetic]" if named.get("is_synthetic") == "true" else ""
        period = f"{row['valid_from']} to {row['valid_to'] or 'now'}"
        yield f"{row['framework']} {row['relation']}: {title} ({period}){invented}"


def _owners(target: "Row", registry: "Registry") -> Iterator[str]:
    for row in _of(target, registry, "target_owners"):
        yield f"{row['role']}: {row['department_id']} ({row['valid_from']} to {row['valid_to'] or 'now'})"


def _denominators(target: "Row", registry: "Registry") -> Iterator[str]:
    for row in registry["denominators"].rows:
        if row["denominator_id"] == target["denominator_id"]:
            yield f"{row['denominator_id']}: {row['value']} {row['unit']}, {row['basis']}, from {row['valid_from']}"


def _say(line: str) -> None:
    _console.print(line, markup=False, soft_wrap=True)
