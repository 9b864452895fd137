"""A lake and a state that do not belong together: every row comes back, and nothing is judged complete meanwhile."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from contracts.registry import all_contracts
from orchestration.loop.build import Build, build_lock
from orchestration.loop.landed import Outcome
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW, copy_profile, settings_in
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


class Again(NamedTuple):
    """A profile whose stores did not belong together, and what came of asking every supplier again."""

    before: dict[str, object]
    outcomes: dict[str, set[Outcome]]
    rows: dict[str, pl.DataFrame]


def landed_again(settings: Settings, drops: Path) -> Again:
    """Every supplier is asked again, and drops again what was landed."""
    before = complete_until(settings)
    outcomes = {}
    for source, contract in settings.contracts().items():
        if (drops / source).is_dir():
            shutil.copytree(drops / source, settings.layout.drop(source), dirs_exist_ok=True)
        outcomes[source] = {each.outcome for each in land(settings, contract, LATER)}
    return Again(before, outcomes, rows_of(settings))


def complete_until(settings: Settings) -> dict[str, object]:
    """Up to where the next build would say that each source speaks."""
    with build_lock(settings):
        Build(settings, LATER).load()
    with connect(settings.layout.warehouse, read_only=True) as con:
        return dict(con.execute("select source, complete_until from landing.source_status").fetchall())


@pytest.fixture(scope="module")
def state_newer_than_lake(
    demo_home: Path, suppliers: dict[str, str], demo_drops: Path, tmp_path_factory: pytest.TempPathFactory
) -> Again:
    """An empty lake was put back beside a state that remembers every supplier."""
    own = settings_in(copy_profile(demo_home, tmp_path_factory.mktemp("lake") / "var"), suppliers)
    for contract in own.contracts().values():
        land(own, contract, NOW + timedelta(minutes=5))
    for source in SOURCES:
        shutil.rmtree(own.layout.lake / source)
    return landed_again(own, demo_drops)


@pytest.fixture(scope="module")
def lake_newer_than_state(
    demo_home: Path, suppliers: dict[str, str], demo_drops: Path, tmp_path_factory: pytest.TempPathFactory
) -> Again:
    """A state that remembers nothing was put back beside the lake."""
    own = settings_in(copy_profile(demo_home, tmp_path_factory.mktemp("state") / "var"), suppliers)
    for path in own.layout.root.glob("state.sqlite*"):
        path.unlink()
    return landed_again(own, demo_drops)


@pytest.mark.builds  # the whole demo lands again
@pytest.mark.parametrize("source", SOURCES)
def test_a_state_newer_than_its_lake_loses_no_source(
    state_newer_than_lake: Again, demo_rows: dict[str, pl.DataFrame], source: str
) -> None:
    assert state_newer_than_lake.before.get(source) is None, "nothing may be judged complete that is not there"
    # the demo drops one export twice
    assert Outcome.LANDED in state_newer_than_lake.outcomes[source] <= {Outcome.LANDED, Outcome.KNOWN}
    for name in (name for name in demo_rows if name.startswith(f"{source}__")):
        assert state_newer_than_lake.rows[name].equals(demo_rows[name]), name


@pytest.mark.builds  # the whole demo lands again
@pytest.mark.parametrize("source", SOURCES)
def test_a_lake_newer_than_its_state_takes_nothing_twice(
    lake_newer_than_state: Again, demo_rows: dict[str, pl.DataFrame], source: str
) -> None:
    assert lake_newer_than_state.outcomes[source] <= {Outcome.KNOWN, Outcome.UNCHANGED}
    for name in (name for name in demo_rows if name.startswith(f"{source}__")):
        assert lake_newer_than_state.rows[name].equals(demo_rows[name]), name


def test_what_a_source_remembers_counts_on_the_batch_it_came_with(own_demo: Settings) -> None:
    newest = Lake(own_demo.layout.lake).latest("tickets_1777")
    assert newest is not None
    with State(own_demo.layout.state) as state:
        assert state.memory("tickets_1777").batch_id == newest.batch_id
