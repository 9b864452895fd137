"""One demo profile per run, landed and built by the worker that asks first; a test that changes it takes a copy."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.demo_city import city as demo_city
from ingestion.demo_city.suppliers import ocpi_supplier, open311_supplier
from orchestration.loop.build import build
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW, copy_profile, land_everything, settings_in


@pytest.fixture(scope="session")
def suppliers() -> Iterator[dict[str, str]]:
    """The demo city's suppliers on loopback, as settings."""
    clock = demo_city.CLOCK
    with (
        ocpi_supplier(demo_city.charge_point_locations(), token="t", clock=clock) as ocpi,
        open311_supplier(
            demo_city.ticket_requests(), api_key="t", clock=clock, updates=demo_city.ticket_updates()
        ) as open311,
    ):
        yield {
            "ADEMRUIMTE_CHARGE_POINTS_URL": ocpi,
            "ADEMRUIMTE_CHARGE_POINTS_TOKEN": "t",
            "ADEMRUIMTE_TICKETS_1777_URL": open311,
            "ADEMRUIMTE_TICKETS_1777_TOKEN": "t",
            "ADEMRUIMTE_TICKETS_1777_SINCE": "2026-05-01",
        }


@pytest.fixture(scope="session")
def demo_home(once_per_run: Callable[..., Path], demo_drops: Path, suppliers: dict[str, str]) -> Path:
    """A landed and built demo profile. Read it; never write to it."""

    def land_and_build(home: Path) -> None:
        settings = settings_in(home, suppliers)
        shutil.copytree(demo_drops, settings.layout.root / "drop")
        land_everything(settings)
        build(settings, NOW)

    return once_per_run("demo", land_and_build)


@pytest.fixture(scope="session")
def demo(demo_home: Path, suppliers: dict[str, str]) -> Settings:
    return settings_in(demo_home, suppliers)


@pytest.fixture
def own_demo(demo_home: Path, suppliers: dict[str, str], tmp_path: Path) -> Settings:
    """A copy of the demo profile that a test may change."""
    return settings_in(copy_profile(demo_home, tmp_path / "var"), suppliers)


@pytest.fixture
def empty_profile(tmp_path: Path) -> Callable[..., Settings]:
    """A profile with nothing in it yet, with the settings a test names."""

    def make(**environment: str) -> Settings:
        settings = settings_in(tmp_path / "var", {}, **environment)
        settings.layout.create()
        return settings

    return make
