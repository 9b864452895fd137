"""Warehouses that dbt builds once per session, from landed rows and from nothing."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.registry import all_contracts, city_named
from tests.dbt import landed_rows
from tests.dbt.warehouses import AS_OF, PROJECT, Built, Dbt, insert, judge_the_data
from warehouse.engine import connect
from warehouse.load import ensure_landing, write_build, write_profile, write_status


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt") / "target"


@pytest.fixture(scope="session")
def dbt(target: Path) -> Callable[..., Dbt]:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - a second of import
    from dbt.cli.main import dbtRunner  # noqa: PLC0415
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415

    parsed: dict[str, bytes] = {}

    def manifest(city: str, flags: list[str]) -> Manifest:
        """The project parsed once per city; a run writes into its manifest, so each gets its own."""
        if city not in parsed:
            outcome = dbtRunner().invoke(["parse", *flags])
            assert isinstance(outcome.result, Manifest), outcome.exception
            parsed[city] = outcome.result.to_msgpack()
        read: Manifest = Manifest.from_msgpack(parsed[city])
        read.write(str(target / "manifest.json"))
        return read

    def invoke(warehouse: Path, *selection: str, city: str = "kortrijk") -> Dbt:
        before = dict(os.environ)
        os.environ.update(ADEMRUIMTE_WAREHOUSE=str(warehouse), ADEMRUIMTE_CITY=city)
        warnings: list[str] = []
        noisy = [lambda event: warnings.append(event.info.msg) if event.info.level == "warn" else None]
        paths = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", target, "--log-path", target]
        variables = ["--vars", json.dumps({"as_of_date": AS_OF.isoformat(), "city": city})]
        try:
            flags = ["--quiet", "--no-version-check", *map(str, paths)]
            runner = dbtRunner(manifest(city, flags), callbacks=noisy)
            outcome = runner.invoke(["build", *selection, *variables, *flags])
        finally:
            DuckDBConnectionManager.close_all_connections()
            os.environ.clear()
            os.environ.update(before)
        assert outcome.result is not None, outcome.exception
        return Dbt({result.node.name: str(result.status) for result in outcome.result.results}, warnings, target)

    return invoke


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a warehouse that holds the typed and empty landing tables of a city."""

    def make(city: str = "kortrijk") -> Path:
        warehouse = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
        with connect(warehouse) as con:
            ensure_landing(con, all_contracts())
            write_profile(con, city_named(city))
            write_build(con, "build-1", AS_OF, city, is_synthetic=True)
        return warehouse

    return make


@pytest.fixture(scope="session")
def built(dbt: Callable[..., Dbt], landing: Callable[..., Path]) -> Built:
    """A small Kortrijk, measured with every unit test, then judged."""
    warehouse = landing()
    with connect(warehouse) as con:
        for (source, table), rows in landed_rows.ROWS.items():
            insert(con, source, table, rows)
        landed_rows.land_readings(con)
        write_status(con, [(source, landed_rows.COMPLETE_UNTIL, None) for source in all_contracts()])
    measured = dbt(warehouse, "--exclude", "tag:judge")
    judge_the_data(warehouse, unverified=["happy_share"])
    return Built(warehouse, measured, dbt(warehouse, "--select", "tag:judge"))


@pytest.fixture(scope="session")
def built_from_nothing(dbt: Callable[..., Dbt], landing: Callable[..., Path]) -> Built:
    warehouse = landing()
    with connect(warehouse) as con:
        con.execute("delete from landing.build")
    only_models = ("--exclude-resource-type", "unit_test")
    measured = dbt(warehouse, "--exclude", "tag:judge", *only_models)
    return Built(warehouse, measured, dbt(warehouse, "--select", "tag:judge", *only_models))
