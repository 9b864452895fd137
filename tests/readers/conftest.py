"""A small warehouse, and the three ways in which its builds are read."""

from pathlib import Path

import pytest

from tests.readers.reading import STORES, Publishing
from warehouse.engine import connect
from warehouse.published.postgres import PostgresStore


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Five tables, of which two say the same number."""
    path = tmp_path / "warehouse.duckdb"
    with connect(path) as con:
        con.execute("create schema marts; create schema verdicts")
        for name in ("fct_a", "fct_b", "fct_c", "fct_d"):
            con.execute(f"create table marts.{name} as select n, 1 as build_no from range(1000) as r (n)")
        con.execute("create table verdicts.fct_e as select 'wonen' as department_id, 1.5 as value")
        con.execute(
            "comment on table marts.fct_a is 'één rij per ''meting'''; comment on column marts.fct_a.n is '100 %'"
        )
    return path


@pytest.fixture(params=STORES)
def publishing(request: pytest.FixtureRequest, warehouse: Path, tmp_path: Path) -> Publishing:
    """Publishing to one store, and reading from it as its readers do."""
    place = request.getfixturevalue("database") if request.param == "postgres" else tmp_path / "published"
    return STORES[request.param](warehouse, place)


@pytest.fixture
def postgres(warehouse: Path, database: str) -> Publishing:
    return STORES["postgres"](warehouse, database)


@pytest.fixture
def restricted(warehouse: Path, database: str) -> Publishing:
    """As a city publishes that shows a department only its own rows of one table."""
    made = STORES["postgres"](warehouse, database)
    made.store = PostgresStore(database, {"fct_e": "department_id"})
    return made
