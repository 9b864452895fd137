"""`demo` and `real`: the jobs of every source, the build and the sending, run one after another and shown."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from contracts.registry import all_contracts
from ingestion.demo_city import city as demo_city
from ingestion.demo_city import real_exports
from ingestion.demo_city.suppliers import ocpi_feed, ocpi_supplier, open311_supplier
from orchestration import report
from orchestration.factories.failures import reason_of
from orchestration.instance import prepare_instance, run_job
from orchestration.loop.plan import why_due
from orchestration.loop.transform import parse
from orchestration.serving import serve
from orchestration.settings import CITY, HOME, Settings, read_settings
from warehouse.published.pointer import current

Supply = Callable[[Settings], AbstractContextManager[None]]
_NOT_OURS = (
    "ADEMRUIMTE_SMTP_HOST",
    "ADEMRUIMTE_RECIPIENTS",
    "ADEMRUIMTE_AS_OF",
    "ADEMRUIMTE_PSEUDONYM_KEY_FILE",
    "ADEMRUIMTE_BOUNDARIES",
    "ADEMRUIMTE_CHARGE_POINTS_TOKEN_ENCODING",
    "ADEMRUIMTE_CHARGE_POINTS_SHAPE",
    "ADEMRUIMTE_CHARGE_POINTS_FULL_EVERY_DAYS",
    "ADEMRUIMTE_CHARGE_POINTS_SESSIONS",
)
_TOKEN = "loopback"  # noqa: S105 - guards a supplier that only this process can reach
_DEMO_HOME = Path("var/demo")
_REAL_HOME = Path("var/real")


def run_demo(console: Console, home: Path = _DEMO_HOME) -> int:
    """Runs the demo city through every job.

    Returns:
        0 when every job succeeded.
    """
    settings = _demo_profile(home)
    demo_city.write_drops(settings.layout.root / "drop")
    with demo_suppliers():
        failed = land_all(console, settings) + build_and_send(console, settings)
    _print_all(console, settings)
    return 1 if failed else 0


def _demo_profile(home: Path) -> Settings:
    """The demo's profile, marked as synthetic wherever it shows, its clock standing still."""
    settings = _profile("kortrijk", home)
    settings.layout.marker.write_text(demo_city.AS_OF.isoformat(), encoding="utf-8")
    demo_city.write_boundaries(settings.boundaries)
    return read_settings()


@contextmanager
def demo_suppliers() -> Iterator[None]:
    """The demo city's suppliers on loopback, and the settings that name them."""
    points, requests = demo_city.charge_point_locations(), demo_city.ticket_requests()
    with (
        ocpi_supplier(points, token=_TOKEN, clock=demo_city.CLOCK, cdrs=demo_city.charge_sessions()) as ocpi,
        open311_supplier(
            requests, api_key=_TOKEN, clock=demo_city.CLOCK, updates=demo_city.ticket_updates()
        ) as open311,
    ):
        _name_supplier("charge_points", ocpi)
        os.environ["ADEMRUIMTE_CHARGE_POINTS_SESSIONS"] = "1"
        _name_supplier("tickets_1777", open311, since="2026-05-01")
        yield


def run_real(console: Console, data: Path, home: Path = _REAL_HOME) -> int:
    """Runs real files through the same jobs, one profile after another.

    Returns:
        0 when every job of every profile succeeded.

    Raises:
        FileNotFoundError: the folder misses a file.
    """
    deliveries: dict[str, tuple[Supply, ...]] = {
        "kortrijk": (_exports(data),),
        "roosendaal": tuple(_locations(data, "roosendaal", day) for day in (2, 7)),
        "terneuzen": tuple(_locations(data, "terneuzen", day) for day in (2, 7)),
        "boston": (_tickets(data),),
    }
    failed = [name for name, supplies in deliveries.items() if run_real_profile(console, name, supplies, home)]
    if failed:
        console.print(f"[bold red]failed:[/] {', '.join(failed)}")
    return 1 if failed else 0


def run_real_profile(console: Console, name: str, supplies: Sequence[Supply], home: Path) -> list[str]:
    """Lands each delivery in order, builds once, and prints what came of it.

    Returns:
        The jobs that failed.
    """
    console.rule(f"[bold]{name}")
    settings = _profile(name, home)
    settings.layout.create()
    failed: list[str] = []
    for supply in supplies:
        with supply(settings):
            failed += land_all(console, settings)
    failed += build_and_send(console, settings)
    _print_all(console, settings)
    return failed


def _exports(data: Path) -> Supply:
    @contextmanager
    def dropped(settings: Settings) -> Iterator[None]:
        real_exports.fluvius_drops(data, settings.layout.root / "drop")
        real_exports.indicator_drops(data, settings.layout.root / "drop")
        yield

    return dropped


def _locations(data: Path, town: str, day: int) -> Supply:
    @contextmanager
    def served(_: Settings) -> Iterator[None]:
        locations = real_exports.locations(data, town, f"2026-06-{day:02}")
        # as the national access point serves them: one packed list, and every pull is a full one
        with ocpi_feed(locations, clock=datetime(2026, 6, day, 20, tzinfo=UTC)) as url:
            _name_supplier("charge_points", url)
            yield

    return served


def _tickets(data: Path) -> Supply:
    @contextmanager
    def served(_: Settings) -> Iterator[None]:
        clock = datetime(2026, 6, 7, 6, tzinfo=UTC)
        with open311_supplier(real_exports.tickets(data), api_key=_TOKEN, clock=clock) as url:
            _name_supplier("tickets_1777", url, since="2011-07-01")
            yield

    return served


def land_all(console: Console, settings: Settings) -> list[str]:
    """One landing job per source; a source that fails never stops another.

    Returns:
        The jobs that failed.
    """
    names = [f"land_{name}" for name in settings.contracts() if _is_supplied(settings, name)]
    return [name for name in names if not _succeeds(console, name)]


def build_and_send(console: Console, settings: Settings) -> list[str]:
    """The build, when one is due, and the sending."""
    reason = why_due(settings, datetime.now(UTC))
    if reason is None:
        console.print("nothing to build: the published build holds everything that was landed")
        names = ["send"]
    else:
        console.print(f"building: {reason}")
        names = ["build", "send"]
    return [name for name in names if not _succeeds(console, name)]


def prepare_profile(settings: Settings) -> None:
    """Writes dbt's manifest and Dagster's settings of a profile."""
    settings.layout.create()
    prepare_instance(settings)
    parse(settings)


def run_dev(settings: Settings, port: int) -> int:
    """Serves the Dagster UI on loopback until it is stopped.

    Where no profile was landed yet, the demo city is what it shows.

    Returns:
        0 when it was stopped, 1 when it could not start or broke.
    """
    shown = settings if settings.layout.lake.exists() else _demo_profile(_DEMO_HOME)
    prepare_profile(shown)
    suppliers = demo_suppliers() if shown.layout.is_synthetic else nullcontext()
    with suppliers:
        return serve(port)


def _succeeds(console: Console, name: str) -> bool:
    result = run_job(name)
    for event in result.filter_events(lambda event: event.is_step_failure):
        console.print(f"{name}: {reason_of(event)}", style="bold red", markup=False, soft_wrap=True)
    return result.success


def _is_supplied(settings: Settings, source: str) -> bool:
    """Whether a source has somewhere to come from: a drop folder always, an address when it is set."""
    # the suppliers were named after these settings were read
    return bool(settings.contracts()[source].endings or read_settings().is_pulled(source))


def _profile(name: str, home: Path) -> Settings:
    """Points this process at a profile, and forgets the suppliers of the one before."""
    os.environ[CITY], os.environ[HOME] = name, str(home.resolve())
    for source in all_contracts():
        os.environ[f"ADEMRUIMTE_{source.upper()}_URL"] = ""
    # the settings of a real city may lie in `.env`: a showcase never writes to its people
    os.environ.update(dict.fromkeys(_NOT_OURS, ""))
    settings = read_settings()
    prepare_profile(settings)
    return settings


def _name_supplier(source: str, url: str, *, since: str | None = None) -> None:
    prefix = f"ADEMRUIMTE_{source.upper()}"
    os.environ[f"{prefix}_URL"], os.environ[f"{prefix}_TOKEN"] = url, _TOKEN
    if since:
        os.environ[f"{prefix}_SINCE"] = since


def _print_all(console: Console, settings: Settings) -> None:
    """Everything a person wants to see; without a published build only what was landed."""
    if current(settings.layout.published) is not None:
        report.print_targets(console, settings)
        report.print_kpis(console, settings)
    report.print_deliveries(console, settings)
    report.print_places(console, settings)
