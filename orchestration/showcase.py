"""`demo` and `real`: the jobs of every source, the build and the sending, run one after another and shown."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from contracts.registry import city_named
from ingestion.demo_city import city as demo_city
from ingestion.demo_city import real_exports
from ingestion.demo_city.suppliers import ocpi_feed, ocpi_supplier, open311_supplier
from orchestration import report, summary
from orchestration.embedded_postgres import print_server, start_server
from orchestration.factories.failures import reason_of
from orchestration.instance import prepare_instance, run_job
from orchestration.loop.build import build_lock
from orchestration.loop.plan import why_due
from orchestration.loop.publishing import publish
from orchestration.loop.transform import parse
from orchestration.serving import serve
from orchestration.settings import HOME, SettingInvalidError, Settings, named_home, write_own_settings
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.published.pointer import current

_log = logging.getLogger("ademruimte.showcase")
Supply = Callable[[Settings], AbstractContextManager[Settings]]
_CITY = "kortrijk"
_TOKEN = "loopback"  # noqa: S105 - guards a supplier that only this process can reach


def demo_home(home: Path) -> Path:
    """The home of the demo's profile, beside those of real cities; one that is a demo's is taken as it is."""
    return home if Layout(home / _CITY).is_synthetic else home / "demo"


def run_demo(
    console: Console, *, is_full: bool = False, picture: Path | None = None, has_postgres: bool = False
) -> int:
    """Runs the demo city through every job, and says in one screen what came of it.

    Args:
        console: where it is shown.
        is_full: whether to show every target, KPI and delivery as well.
        picture: the SVG file into which that screen is drawn.
        has_postgres: whether it starts a PostgreSQL server of its own and publishes to it as well.

    Returns:
        0 when every job succeeded.
    """
    home = demo_home(named_home())
    server = start_server(home) if has_postgres else None
    settings = demo_profile(home, None if server is None else SecretStr(server.url))
    there_before = len(Lake(settings.layout.lake).manifests())
    _log.info("writing the files that the demo's suppliers drop")
    demo_city.write_drops(settings.layout.root / "drop")
    with demo_suppliers(settings) as supplied:
        failed = land_all(console, supplied) + build_and_send(console, supplied)
    is_published = current(settings.layout.published) is not None
    if is_full or not is_published:
        _print_all(console, settings)
    if is_published:
        summary.print_summary(console, settings, there_before=there_before)
    if picture is not None and is_published:
        summary.draw(settings, picture)
    if server is not None and is_published:
        with build_lock(settings):
            # where nothing was to build, the build of an earlier run is not in it yet
            failed += publish(settings, datetime.now(UTC))[1]
        print_server(console, server)
    if failed:
        console.print(f"[bold red]failed:[/] {', '.join(failed)}")
    return 1 if failed else 0


def demo_profile(home: Path, postgres_url: SecretStr | None = None) -> Settings:
    """The demo's profile, marked as synthetic wherever it shows, its clock standing still.

    Args:
        home: the folder in which it lies.
        postgres_url: the database to which it publishes too.

    Raises:
        SettingInvalidError: a real profile is in the way.
    """
    layout = Layout(home.resolve() / _CITY)
    if layout.root.is_dir() and any(layout.root.iterdir()) and not layout.is_synthetic:
        raise SettingInvalidError(f"{layout.root} holds a real profile, which a demo leaves alone; name another {HOME}")
    # marked before anything else: what a killed demo leaves is never taken for real
    layout.root.mkdir(mode=0o750, parents=True, exist_ok=True)
    layout.marker.write_text(demo_city.AS_OF.isoformat(), encoding="utf-8")
    settings = _profile(_CITY, home, postgres_url)
    demo_city.write_boundaries(settings.boundaries)
    return settings


@contextmanager
def demo_suppliers(settings: Settings) -> Iterator[Settings]:
    """The demo city's suppliers on loopback, and the settings that name them."""
    points, requests = demo_city.charge_point_locations(), demo_city.ticket_requests()
    with (
        ocpi_supplier(points, token=_TOKEN, clock=demo_city.CLOCK, cdrs=demo_city.charge_sessions()) as ocpi,
        open311_supplier(
            requests, api_key=_TOKEN, clock=demo_city.CLOCK, updates=demo_city.ticket_updates()
        ) as open311,
    ):
        supplied = settings.supplied("charge_points", url=ocpi, token=_TOKEN, sessions="1")
        yield supplied.supplied("tickets_1777", url=open311, token=_TOKEN, since="2026-05-01")


def run_real(console: Console, data: Path) -> int:
    """Runs real files through the same jobs, one profile after another, in profiles of their own.

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
    home = named_home() / "real"
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
    failed: list[str] = []
    for supply in supplies:
        with supply(settings) as supplied:
            failed += land_all(console, supplied)
    failed += build_and_send(console, settings)
    _print_all(console, settings)
    return failed


def _exports(data: Path) -> Supply:
    @contextmanager
    def dropped(settings: Settings) -> Iterator[Settings]:
        _log.info("laying out the exports")
        real_exports.fluvius_drops(data, settings.layout.root / "drop")
        real_exports.indicator_drops(data, settings.layout.root / "drop")
        yield settings

    return dropped


def _locations(data: Path, town: str, day: int) -> Supply:
    @contextmanager
    def served(settings: Settings) -> Iterator[Settings]:
        locations = real_exports.locations(data, town, f"2026-06-{day:02}")
        # as the national access point serves them: one packed list, and every pull is a full one
        with ocpi_feed(locations, clock=datetime(2026, 6, day, 20, tzinfo=UTC)) as url:
            yield settings.supplied("charge_points", url=url, token=_TOKEN)

    return served


def _tickets(data: Path) -> Supply:
    @contextmanager
    def served(settings: Settings) -> Iterator[Settings]:
        _log.info("reading the questions to a desk")
        tickets, clock = real_exports.tickets(data), datetime(2026, 6, 7, 6, tzinfo=UTC)
        with open311_supplier(tickets, api_key=_TOKEN, clock=clock) as url:
            yield settings.supplied("tickets_1777", url=url, token=_TOKEN, since="2011-07-01")

    return served


def land_all(console: Console, settings: Settings) -> list[str]:
    """One landing job per source; a source that fails never stops another.

    Returns:
        The jobs that failed.
    """
    names = [f"land_{name}" for name in settings.contracts() if _is_supplied(settings, name)]
    return [name for name in names if not _succeeds(console, name, settings)]


def build_and_send(console: Console, settings: Settings) -> list[str]:
    """The build, when one is due, and the sending."""
    reason = why_due(settings, datetime.now(UTC))
    if reason is None:
        console.print("nothing to build: the published build holds everything that was landed")
        names = ["send"]
    else:
        console.print(f"building: {reason}")
        names = ["build", "send"]
    return [name for name in names if not _succeeds(console, name, settings)]


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
    shown = settings if settings.layout.lake.exists() else demo_profile(demo_home(settings.layout.root.parent))
    prepare_profile(shown)
    if not shown.layout.is_synthetic:
        return serve(port)
    with demo_suppliers(shown) as supplied, _obeying(supplied):
        return serve(port, shown.layout.dagster)


def _succeeds(console: Console, name: str, settings: Settings) -> bool:
    result = run_job(name, settings)
    for event in result.filter_events(lambda event: event.is_step_failure):
        console.print(f"{name}: {reason_of(event)}", style="bold red", markup=False, soft_wrap=True)
    return result.success


def _is_supplied(settings: Settings, source: str) -> bool:
    """Whether a source has somewhere to come from: a drop folder always, an address when it is set."""
    return bool(settings.contracts()[source].endings or settings.is_pulled(source))


def _profile(name: str, home: Path, postgres_url: SecretStr | None = None) -> Settings:
    """A profile that obeys nothing but what is named here, whatever a real city's environment says."""
    settings = Settings(city=city_named(name), home=home, postgres_url=postgres_url)
    settings.layout.create()
    write_own_settings(settings)
    _log.info("reading the dbt project, for %s", settings.city.title_nl)
    prepare_profile(settings)
    return settings


@contextmanager
def _obeying(settings: Settings) -> Iterator[None]:
    """Names its suppliers to the processes that this one starts, for as long as they answer."""
    write_own_settings(settings)
    try:
        yield
    finally:
        write_own_settings(settings.model_copy(update={"suppliers": {}}))


def _print_all(console: Console, settings: Settings) -> None:
    """Everything a person wants to see; without a published build only what was landed."""
    if current(settings.layout.published) is not None:
        report.print_targets(console, settings)
        report.print_kpis(console, settings)
    report.print_deliveries(console, settings)
    report.print_places(console, settings)
