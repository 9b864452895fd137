"""`ademruimte …`: the same functions as the Dagster jobs, without the UI."""

import sqlite3
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from orchestration import publishing_commands
from orchestration.alerts.commands import alerts, outbox
from orchestration.giving_back import commands as supplier_commands
from orchestration.progress import Progress, show_progress
from orchestration.registry.commands import app as targets
from warehouse.durable import DiskFullError, is_disk_full
from warehouse.layout import close_to_strangers
from warehouse.published.pointer import current
from warehouse.published.store import KEPT
from warehouse.withdrawals import standing

if TYPE_CHECKING:
    from orchestration.settings import Settings

app = typer.Typer(
    help="Ademruimte tells a city whether it keeps its promises.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(targets, name="targets")
app.add_typer(supplier_commands.quarantine, name="quarantine")
app.add_typer(supplier_commands.contracts, name="contracts")
app.add_typer(outbox, name="outbox")
app.add_typer(alerts, name="alerts")
indicators = typer.Typer(help="Figures that people deliver: release one that looked wrong.", no_args_is_help=True)
app.add_typer(indicators, name="indicators")
for command in (supplier_commands.check, *publishing_commands.COMMANDS):
    app.command()(command)
_console = Console(highlight=False)
_DAY = ["%Y-%m-%d"]


def main() -> None:
    """Runs the command line; progress goes to the terminal as it happens."""
    close_to_strangers()
    try:
        app(obj=show_progress(_console))
    except Exception as fault:
        if not (isinstance(fault, _faults()) or is_disk_full(fault)):
            raise
        _console.print(_told(fault), style="bold red", markup=False, soft_wrap=True)
        sys.exit(1)


def _told(fault: Exception) -> str:
    told = str(fault).strip("'")
    if isinstance(fault, DiskFullError) or not is_disk_full(fault):
        return told
    return f"{told}\nthe disk is full, or cannot be written: make room, then run it again"


def _faults() -> tuple[type[Exception], ...]:
    """What a person can do something about: told in a sentence, without a traceback."""
    from ingestion.errors import SupplierError
    from orchestration.loop.build import BuildBusyError
    from orchestration.loop.messages import OutboxHeldError
    from orchestration.loop.transform import TransformError
    from orchestration.settings import SettingInvalidError
    from warehouse.backup import BackupError
    from warehouse.batch import LakeError
    from warehouse.engine import WarehouseBusyError
    from warehouse.layout import NewerProfileError
    from warehouse.published.postgres_connection import PostgresError

    ours = (
        BackupError,
        BuildBusyError,
        LakeError,
        NewerProfileError,
        OutboxHeldError,
        PostgresError,
        TransformError,
        WarehouseBusyError,
    )
    return (*ours, SupplierError, LookupError, SettingInvalidError, OSError, sqlite3.OperationalError)


@app.command()
def demo(
    context: typer.Context,
    *,
    full: Annotated[bool, typer.Option("--full", help="Every target, figure and delivery too.")] = False,
    postgres: Annotated[
        bool, typer.Option("--postgres", help="Publish to a PostgreSQL server of its own too.")
    ] = False,
    picture: Annotated[Path | None, typer.Option(hidden=True, help="Draw the last screen into this SVG.")] = None,
) -> None:
    """The whole loop on a small synthetic Kortrijk: every source in, verdicts and an alert out.

    Its profile lies in ADEMRUIMTE_HOME/demo, by default var/demo; no other setting reaches it.
    """
    with _working(context):
        from orchestration.showcase import run_demo

        code = run_demo(_console, is_full=full, picture=picture, has_postgres=postgres)
    sys.exit(code)


@app.command()
def real(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Folder with the real files, laid out as its SOURCES.md says.")],
) -> None:
    """The same jobs on real files, one city profile after another, in ADEMRUIMTE_HOME/real."""
    with _working(context):
        from orchestration.showcase import run_real

        code = run_real(_console, data)
    sys.exit(code)


@app.command()
def land(
    source: Annotated[
        list[str] | None, typer.Argument(help="Sources to land; all of the city when none is named.")
    ] = None,
) -> None:
    """Pull or read what suppliers offer, check every row, and commit it to the lake."""
    from orchestration.loop.landed import Outcome
    from orchestration.loop.landing import land as land_source

    settings = _settings()
    contracts = settings.contracts()
    unknown = [name for name in source or () if name not in contracts]
    if unknown:
        raise typer.BadParameter(f"{settings.city.name} receives {', '.join(contracts)}; not {', '.join(unknown)}")
    results = [
        landed for name in source or contracts for landed in land_source(settings, contracts[name], datetime.now(UTC))
    ]
    refused = [result for result in results if result.outcome is Outcome.REFUSED]
    if not results:
        _console.print("nothing waits in the drop folders (a file touched a moment ago waits for the next run)")
    sys.exit(1 if refused else 0)


@app.command()
def build(*, force: Annotated[bool, typer.Option(help="Build although nothing changed.")] = False) -> None:
    """Load, measure, judge and publish what was landed; does nothing when nothing changed."""
    from orchestration import report
    from orchestration.loop.build import build as build_all
    from orchestration.loop.plan import why_due

    settings, now = _settings(), datetime.now(UTC)
    reason = why_due(settings, now) or ("asked for" if force else None)
    if reason is None:
        _console.print("nothing to build: the published build holds everything that was landed")
        return
    _console.print(f"building: {reason}")
    built = build_all(settings, now)
    report.print_targets(_console, settings)
    sys.exit(1 if built.not_loaded else 0)


@app.command()
def send() -> None:
    """Deliver the messages that wait in the outbox."""
    from orchestration.loop.messages import held_until, unsent
    from orchestration.loop.messages import send as send_outbox

    settings, now = _settings(), datetime.now(UTC)
    result = send_outbox(settings, now)
    _console.print(f"{result.sent} messages sent, {result.failed} failed")
    if opening := held_until(settings, now):
        _console.print(f"messages to departments wait until {opening:%Y-%m-%d %H:%M}, when working hours begin")
    for waiting in unsent(settings, now) if result.failed else ():
        _console.print(f"{waiting.message_key}: {waiting.last_error}", markup=False, soft_wrap=True)
    sys.exit(1 if result.failed else 0)


@app.command()
def status(  # noqa: PLR0913 - each is an option of its own
    context: typer.Context,
    *,
    department: Annotated[str | None, typer.Option(metavar="CODE", help="Only the targets of this department.")] = None,
    behind: Annotated[bool, typer.Option("--behind", help="Only the targets that are behind or overdue.")] = False,
    as_of: Annotated[datetime | None, typer.Option(formats=_DAY, help="How it stood on this day.")] = None,
    known_at: Annotated[datetime | None, typer.Option(formats=_DAY, help="With what was known by this day.")] = None,
    target: Annotated[str | None, typer.Option(metavar="TARGET_ID", help="Of a day: only this target.")] = None,
    with_same: Annotated[bool, typer.Option("--all", help="Of a day: every target, also the unchanged.")] = False,
    why: Annotated[str | None, typer.Option(metavar="TARGET_ID", help="What holds this target back.")] = None,
) -> None:
    """The targets of the published build, worst first, and what each source delivered.

    With a day: what was said then, what today's rules say on what was known
    then, what is published now, and why they differ; of the targets that
    differ, of all, or of one.
    """
    from orchestration import report

    settings = _published_settings()
    if why:
        from orchestration.why import print_why

        print_why(_console, settings, why)
        return
    if as_of or known_at or target or with_same:
        from orchestration.past import days_asked, print_past

        asked = (moment and moment.date() for moment in (as_of, known_at))
        day, known = days_asked(settings, *asked, now=datetime.now(UTC))
        with _working(context):
            print_past(_console, settings, day, known, target_id=target, with_same=with_same)
        return
    if held := standing(settings.layout.decisions):
        _console.print(held.told, style="bold red", markup=False, soft_wrap=True)
    report.print_targets(_console, settings, department=department, only_behind=behind)
    if not (department or behind):
        report.print_deliveries(_console, settings)
        report.print_places(_console, settings)


@indicators.command("confirm")
def confirm_indicator(
    kpi: Annotated[str, typer.Argument(help="The indicator, as the registry names it.")],
    ref_date: Annotated[datetime, typer.Argument(formats=_DAY, help="The day the figure is of.")],
    role: Annotated[str, typer.Option(help="The function of whoever looked at it; no name.")],
    reason: Annotated[str, typer.Option(help="Why it is right.")],
) -> None:
    """Release a figure that looked wrong: it is delivered again with who looked at it, on which day and why."""
    from orchestration.confirming import Release, confirm

    batch = confirm(_published_settings(), Release(kpi, ref_date.date(), role, reason), datetime.now(UTC)).batch_id
    _console.print(f"confirmed, as batch {batch}; run `ademruimte build`", markup=False, soft_wrap=True)


@app.command()
def batches() -> None:
    """The batches in the lake: which replaced another, which count no more, and of which the rows are erased."""
    from warehouse.lake import Lake

    lake = Lake(_settings().layout.lake)
    counting = {manifest.batch_id for manifest in lake.live()}
    for manifest in lake.manifests():
        note = f" supersedes {manifest.supersedes}" if manifest.supersedes else ""
        if manifest.batch_id not in counting:
            note += "; erased" if lake.is_erased(manifest) else "; superseded"
        _console.print(f"{manifest.batch_id}  {manifest.source}  {manifest.origin}{note}", markup=False, soft_wrap=True)


@app.command()
def replay(batch: Annotated[str, typer.Argument(help="Batch id, as `ademruimte batches` shows it.")]) -> None:
    """Run today's contract again over what a batch received, without asking the supplier."""
    from orchestration.loop.replay import UnknownBatchError
    from orchestration.loop.replay import replay as replay_batch

    try:
        manifest = replay_batch(_settings(), batch, datetime.now(UTC))
    except UnknownBatchError as fault:
        raise typer.BadParameter(str(fault)) from None
    _console.print(f"committed {manifest.batch_id}" if manifest else "the same rows again: nothing was written")


@app.command()
def erase(
    batch: Annotated[list[str], typer.Argument(help="Batch ids that another one supersedes: `ademruimte batches`.")],
) -> None:
    """Remove every row of a batch that a replay or a new key replaced; what counts is left as it is."""
    from orchestration.loop.erasing import erase as erase_batches
    from orchestration.loop.replay import UnknownBatchError

    try:
        for erased in erase_batches(_settings(), batch, datetime.now(UTC)):
            _console.print(f"erased {erased.batch_id}", markup=False, soft_wrap=True)
    except UnknownBatchError as fault:
        raise typer.BadParameter(str(fault)) from None
    _console.print(
        f"the warehouse holds those rows until the next `ademruimte build`, and the newest {KEPT} published builds "
        "until as many newer ones are there; a backup holds them until it is replaced (docs/architecture.md, Erasing)",
        soft_wrap=True,
    )


@app.command()
def rotate_key() -> None:
    """Give the pseudonyms a new key: every batch that holds them is made again, and old and new still join."""
    from orchestration import report
    from orchestration.loop.rotation import rotate

    settings = _settings()
    report.print_rotation(_console, rotate(settings, datetime.now(UTC)))
    _console.print(f"copy {settings.pseudonym_key_file} to where its backup lies; then run `ademruimte build`")


@app.command()
def rebuild() -> None:
    """Make the warehouse again from the lake alone."""
    from orchestration import report
    from orchestration.loop.build import build as build_all
    from orchestration.loop.build import forget_warehouse

    settings = _settings()
    forget_warehouse(settings)
    built = build_all(settings, datetime.now(UTC))
    report.print_targets(_console, settings)
    sys.exit(1 if built.not_loaded else 0)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where the backups lie, best on another disk or machine.")],
    *,
    keep: Annotated[int | None, typer.Option(min=1, help="Remove all but this many of the newest backups.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Read every byte of the newest backup; take none.")] = False,
) -> None:
    """Copy the lake and the state; only what is new since the last backup is written.

    Landings and builds may go on meanwhile. The keys of the pseudonyms are
    not in it: keep a copy of the profile's folder `secrets` somewhere else.
    """
    from warehouse.backup import Backup, BackupError

    settings, backups = _settings(), Backup(folder)
    snapshot = backups.newest() if check else backups.take(settings.layout, settings.city.name, datetime.now(UTC))
    if snapshot is None:
        raise BackupError(f"{folder} holds no backup")
    if check and (faults := backups.faults(snapshot)):
        raise BackupError(f"backup {snapshot.name}: {len(faults)} files are damaged, first {faults[0]}; take a new one")
    _console.print(f"backup {snapshot.name}: {len(snapshot.files)} files{', every one whole' if check else ''}")
    for gone in backups.prune(keep) if keep else ():
        _console.print(f"removed backup {gone}")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="Where the backups lie.")],
    at: Annotated[str | None, typer.Option(metavar="NAME", help="Which backup; the newest when none is named.")] = None,
) -> None:
    """Put a backup back into an empty profile, each file checked; the outbox is held until a person releases it."""
    from orchestration.loop.build import build_lock
    from warehouse.backup import Backup, BackupError

    settings, backups = _settings(), Backup(folder)
    snapshot = backups.read(at) if at else backups.newest()
    if snapshot is None:
        raise BackupError(f"{folder} holds no backup")
    if snapshot.city != settings.city.name:
        raise BackupError(f"{folder} holds backups of {snapshot.city}, and this profile is of {settings.city.name}")
    with build_lock(settings):
        backups.restore(snapshot, settings.layout, datetime.now(UTC))
    _console.print(
        f"restored {snapshot.name}: {len(snapshot.files)} files. Now put `secrets` back and run `ademruimte build`; "
        "look at `ademruimte outbox list` before you release it",
        soft_wrap=True,
    )


@app.command()
def powerbi(
    out: Annotated[Path, typer.Option(help="Folder for the project; a report that lies there is kept.")],
    server: Annotated[str, typer.Option(help="PostgreSQL server, with its port.")] = "localhost:5432",
    database: Annotated[str, typer.Option(help="Database on it.")] = "ademruimte",
    folder: Annotated[
        str | None, typer.Option(help="Published folder as readers see it, instead of PostgreSQL.")
    ] = None,
) -> None:
    """Write the published tables as a Power BI project: model, measures, pages; docs/powerbi.md says how to open it."""
    from orchestration.power_bi import write_power_bi
    from warehouse.published.powerbi.project import PROJECT, REPORT
    from warehouse.published.powerbi.source import Folder, Postgres

    is_new = write_power_bi(_settings(), Folder(folder) if folder else Postgres(server, database), out)
    kept = "" if is_new else f"; {REPORT} lay there and is as it was, move it away to get the pages anew"
    _console.print(f"{out / PROJECT}{kept}", markup=False, soft_wrap=True)


@app.command()
def prepare() -> None:
    """Write dbt's manifest and Dagster's settings, so that the UI starts quickly."""
    from orchestration.showcase import prepare_profile

    prepare_profile(_settings())


@app.command()
def web(
    host: Annotated[str, typer.Option(help="An address of this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on it, to which the city's proxy leads.")] = 3001,
) -> None:
    """Take what heads answer by the link in a mail: seen, snooze, a plan, "klopt niet".

    Mails bear a link once ADEMRUIMTE_WEB_URL says where the city's proxy
    shows these pages. A link is a secret: let the proxy log no path.
    """
    from orchestration.web import listen, serve

    settings = _settings()
    try:
        listening = listen(host, port)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None
    shown = f"[{host}]" if ":" in host else host
    _console.print(f"answers are taken on http://{shown}:{port}; Ctrl-C stops it", markup=False, soft_wrap=True)
    if settings.web_url is None:
        own = settings.layout.own_settings
        where = f" in {own}" if settings.layout.is_synthetic or own.exists() else ""
        _console.print(f"mails bear no link yet: set ADEMRUIMTE_WEB_URL{where}", markup=False, soft_wrap=True)
    serve(settings, listening)


@app.command()
def dev(port: Annotated[int, typer.Option(help="Port on loopback.")] = 3000) -> None:
    """Open the Dagster UI on loopback, with the demo city's suppliers when the profile is synthetic."""
    from orchestration.showcase import run_dev

    sys.exit(run_dev(_settings(), port))


def _settings() -> "Settings":
    from orchestration.settings import read_settings

    return read_settings()


def _published_settings() -> "Settings":
    settings = _settings()
    if current(settings.layout.published) is None:
        raise typer.BadParameter(f"nothing is published yet under {settings.layout.root}; run `ademruimte build`")
    return settings


def _working(context: typer.Context) -> AbstractContextManager[None]:
    """Work that may be silent for a while: a person sees that it goes on."""
    progress = context.find_object(Progress)
    return nullcontext() if progress is None else progress.working()


if __name__ == "__main__":
    main()
