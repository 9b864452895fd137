"""Warehouses that dbt builds once per run, from landed rows and from nothing."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.registry import all_contracts, city_named
from orchestration.dbt_project import seed_paths
from tests.dbt import landed_rows
from tests.dbt.warehouses import AS_OF, PROJECT, Built, Dbt, insert, judge_the_data
from warehouse.engine import connect
from warehouse.load import ensure_landing, write_build, write_profile, write_status


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt") / "target"


@pytest.fixture(scope="session")
def dbt(target: Path, once_per_run: Callable[..., Path]) -> Callable[..., Dbt]:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - a second of import
    from dbt.cli.main import dbtRunner  # noqa: PLC0415
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415

    def manifest(city: str, flags: list[str], target: Path) -> Manifest:
        """The project parsed once per city; a run writes into its manifest, so each gets its own."""

        def parse(folder: Path) -> None:
            outcome = dbtRunner().invoke(["parse", *flags])
            assert isinstance(outcome.result, Manifest), outcome.exception
            (folder / "manifest.msgpack").write_bytes(outcome.result.to_msgpack())

        read: Manifest = Manifest.from_msgpack(
            (once_per_run(f"parsed_{city}", parse) / "manifest.msgpack").read_bytes()
        )
        target.mkdir(parents=True, exist_ok=True)
        read.write(str(target / "manifest.json"))
        return read

    def invoke(warehouse: Path, *selection: str, city: str = "kortrijk", target: Path = target) -> Dbt:
        before = dict(os.environ)
        os.environ.update(ADEMRUIMTE_WAREHOUSE=str(warehouse), ADEMRUIMTE_SEEDS=",".join(seed_paths(city)))
        warnings: list[str] = []
        noisy = [lambda event: warnings.append(event.info.msg) if event.info.level == "warn" else None]
        paths = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", target, "--log-path", target]
        variables = ["--vars", json.dumps({"as_of_date": AS_OF.isoformat(), "city": city})]
        try:
            # 45 000 lines of a build that nobody reads here
            flags = ["--quiet", "--no-version-check", "--log-level-file", "none", *map(str, paths)]
            runner = dbtRunner(manifest(city, flags, target), callbacks=noisy)
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
    return lambda city="kortrijk": _landing(tmp_path_factory.mktemp("warehouse"), city)


def _landing(folder: Path, city: str) -> Path:
    warehouse = folder / "warehouse.duckdb"
    with connect(warehouse) as con:
        ensure_landing(con, all_contracts())
        write_profile(con, city_named(city))
        write_build(con, "build-1", AS_OF, city, is_synthetic=True)
    return warehouse


@pytest.fixture(scope="session")
def built(dbt: Callable[..., Dbt], once_per_run: Callable[..., Path]) -> Built:
    """A small Kortrijk, measured with every unit test, then judged. Read it; a test that changes it takes a copy."""

    def build(folder: Path) -> Built:
        warehouse, target = _landing(folder, "kortrijk"), folder / "target"
        with connect(warehouse) as con:
            for (source, table), rows in landed_rows.ROWS.items():
                insert(con, source, table, rows)
            landed_rows.land_readings(con)
            write_status(con, [(source, landed_rows.COMPLETE_UNTIL, None) for source in all_contracts()])
        measured = dbt(warehouse, "--exclude", "tag:judge", target=target)
        judge_the_data(warehouse, unverified=["happy_share"])
        return Built(warehouse, measured, dbt(warehouse, "--select", "tag:judge", target=target))

    return _kept(once_per_run, "built", build)


def _kept(once_per_run: Callable[..., Path], name: str, build: Callable[[Path], Built]) -> Built:
    def keep(folder: Path) -> None:
        (folder / "built.pickle").write_bytes(pickle.dumps(build(folder)))

    kept: Built = pickle.loads((once_per_run(name, keep) / "built.pickle").read_bytes())  # noqa: S301 - of this run
    return kept
