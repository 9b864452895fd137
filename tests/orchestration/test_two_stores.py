"""A lake and a state that do not belong together: every row comes back, and nothing is judged complete meanwhile."""

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.registry import all_contracts
from orchestration.loop.build import Build, build_lock
from orchestration.loop.landing import Landed, Outcome, land
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from warehouse.engine import connect, frame
from warehouse.lake import Lake
from warehouse.state import State

SOURCES = sorted(all_contracts())
# what tells when a row landed, not what it says
BOOKKEEPING = ["batch_id", "line", "known_at", "loaded_at"]


@pytest.fixture(scope="module")
def demo_rows(demo: Settings) -> dict[str, pl.DataFrame]:
    return rows_of(demo)


def rows_of(settings: Settings) -> dict[str, pl.DataFrame]:
    """What every landing table of a profile holds once a build loaded its lake."""
    with build_lock(settings):
        Build(settings, LATER).load()
    with connect(settings.layout.warehouse, read_only=True) as con:
        names = con.execute("select table_name from duckdb_tables() where schema_name = 'landing'").fetchall()
        tables = {name: frame(con, f"select * from landing.{name}") for (name,) in names if "__" in name}
    return {name: sorted_content(rows) for name, rows in tables.items()}


def sorted_content(rows: pl.DataFrame) -> pl.DataFrame:
    content = rows.drop(BOOKKEEPING, strict=False)
    return content.sort(content.columns)


def complete_until(settings: Settings, source: str) -> object:
    """Up to where the next build would say that a source speaks."""
    with build_lock(settings):
        Build(settings, LATER).load()
    with connect(settings.layout.warehouse, read_only=True) as con:
        found = con.execute("select complete_until from landing.source_status where source = ?", [source]).fetchone()
    return found and found[0]


def land_again(settings: Settings, source: str, drops: Path) -> list[Landed]:
    """Its supplier is asked again, and drops again what was landed."""
    if (drops / source).is_dir():
        shutil.copytree(drops / source, settings.layout.drop(source), dirs_exist_ok=True)
    return land(settings, settings.contracts()[source], LATER)


@pytest.mark.parametrize("source", SOURCES)
def test_a_state_newer_than_its_lake_loses_no_source(
    own_demo: Settings, demo_drops: Path, demo_rows: dict[str, pl.DataFrame], source: str
) -> None:
    land(own_demo, own_demo.contracts()[source], NOW + timedelta(minutes=5))
    shutil.rmtree(own_demo.layout.lake / source)
    assert complete_until(own_demo, source) is None
    again = land_again(own_demo, source, demo_drops)
    # the demo drops one export twice
    assert Outcome.LANDED in {each.outcome for each in again} <= {Outcome.LANDED, Outcome.KNOWN}
    found = rows_of(own_demo)
    for name in (name for name in demo_rows if name.startswith(f"{source}__")):
        assert found[name].equals(demo_rows[name]), name


@pytest.mark.parametrize("source", SOURCES)
def test_a_lake_newer_than_its_state_takes_nothing_twice(
    own_demo: Settings, demo_drops: Path, demo_rows: dict[str, pl.DataFrame], source: str
) -> None:
    for path in own_demo.layout.root.glob("state.sqlite*"):
        path.unlink()
    again = land_again(own_demo, source, demo_drops)
    assert {each.outcome for each in again} <= {Outcome.KNOWN, Outcome.UNCHANGED}
    found = rows_of(own_demo)
    for name in (name for name in demo_rows if name.startswith(f"{source}__")):
        assert found[name].equals(demo_rows[name]), name


def test_what_a_source_remembers_counts_on_the_batch_it_came_with(own_demo: Settings) -> None:
    newest = Lake(own_demo.layout.lake).latest("tickets_1777")
    assert newest is not None
    with State(own_demo.layout.state) as state:
        assert state.memory("tickets_1777").batch_id == newest.batch_id
