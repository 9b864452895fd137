"""One more source is four new files and not one changed line: landed, checked, staged and tested by discovery alone."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CONTRACT = '''"""Rain that fell on the gauges of the city, measured per day."""

from datetime import timedelta

import polars as pl

from contracts.reading import lower
from contracts.vocabulary import EVENLY, Field, OnArrival, Sensitivity, SourceContract, TableContract

DAYS = TableContract(
    name="days",
    description="Rain that fell on one gauge on one day.",
    description_nl="De neerslag op één meetpunt op één dag.",
    fields=(
        Field("gauge", pl.String, "the gauge", reads="meetpunt", required=True, nl="code van het meetpunt", read=lower),
        Field("rain_date", pl.Date, "city date", reads="datum", required=True, nl="dag waarop het regende"),
        Field("rain_mm", pl.Float64, "mm", reads="neerslag", required=True, minimum=0, nl="neerslag in mm"),
        Field("is_validated", pl.Boolean, "whether it is final", arrives=False, then=pl.col("rain_mm").is_not_null()),
    ),
    breaches={"rain_mm": EVENLY},
    key=("gauge", "rain_date"),
    version=(),
    event_date="rain_date",
    event_order=("rain_date", "gauge"),
)
CONTRACT = SourceContract(
    name="rainfall",
    title_nl="Neerslag",
    owner="klimaat@kortrijk.example",
    version=1,
    triggers=(OnArrival((".csv",)),),
    fresh_within=timedelta(days=2),
    retention=timedelta(days=3650),
    sensitivity=Sensitivity.NONE,
    tables=(DAYS,),
    delivery_nl="Lever elke dag de neerslag van de dag ervoor als CSV.",
)
'''
MODULE = '''"""Rain per gauge and day, from the file of the gauges' keeper."""

import polars as pl

from contracts.sources.rainfall import DAYS
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.spreadsheet import read_table
from ingestion.source import Source


class Rainfall(Source):
    """The rain on the gauges of the city."""

    def read(self, file: DroppedFile, context: Context) -> Delivery:
        """One file."""
        original = original_bytes(file)
        tables = self.reread(original, file.path.name, context)
        return Delivery(file.path.name, tables, file.supplied_at, file.supplied_at, original)

    def reread(self, original: bytes, name: str, _: Context) -> dict[str, pl.DataFrame]:
        """The table in the bytes of an earlier delivery."""
        return {DAYS.name: read_table(original, name, DAYS.received)}


SOURCE = Rainfall()
'''
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
DROPPED = "meetpunt;datum;neerslag\nLEIE;21-11-2026;14,8\nleie;22-11-2026;veel\nstation;22-11-2026;9,3\n"
TEST = '''"""Rain as the keeper of the gauges writes it."""

from pathlib import Path

from contracts.cities.profile import City
from contracts.gate import split
from contracts.sources.rainfall import DAYS
from ingestion.delivery import Context
from ingestion.sources.rainfall import SOURCE

FILE = Path(__file__).parents[1] / "dropped" / "rainfall" / "neerslag.csv"


def test_a_day_is_read_and_one_without_a_number_is_refused(kortrijk: City) -> None:
    found = split(SOURCE.reread(FILE.read_bytes(), FILE.name, Context(kortrijk))["days"], DAYS, kortrijk)
    assert found.accepted["rain_mm"].to_list() == [14.8, 9.3]
    assert found.quarantined["reasons"].to_list() == [["neerslag: cannot be read"]]
'''
FOUR_FILES = {
    "contracts/sources/rainfall.py": CONTRACT,
    "ingestion/sources/rainfall.py": MODULE,
    "tests/dropped/rainfall/neerslag.csv": DROPPED,
    "tests/ingestion/test_rainfall.py": TEST,
}
# what `make contracts` writes for it; all else of the project stays as it is
WRITTEN = {
    "dbt_project/models/staging/rainfall/_rainfall.yml",
    "dbt_project/models/staging/rainfall/stg_rainfall__days.sql",
    "docs/contracts/README.md",
    "docs/contracts/rainfall.md",
    "docs/contracts/rainfall.odcs.yaml",
    "docs/contracts/refusals.md",
}
# the tests that name every source, and those that are asked of each
TESTS_OF_ALL_SOURCES = (
    "tests/architecture/test_sources.py",
    "tests/architecture/test_settings.py",
    "tests/contracts/test_registry.py",
    "tests/demo_city/test_city.py::test_every_source_that_only_takes_files_has_some",
    "tests/orchestration/test_contract_pages.py::test_what_is_published_is_what_the_contracts_say",
    "tests/orchestration/test_contract_pages.py::test_the_staging_models_are_what_the_contracts_say",
    "tests/canary/test_canary.py::test_the_canaries_were_let_at_every_source",
)
TESTS_OF_EACH_SOURCE = (
    "tests/contracts",
    "tests/ingestion/test_rainfall.py",
    "tests/orchestration/test_contract_pages.py",
)

# the way of a record through the very functions that the jobs call
WAY = """
import dataclasses, json, sys
from datetime import UTC, date, datetime
from contracts.registry import all_contracts
from orchestration.factories.landing_assets import landing_definitions
from orchestration.loop.landing import land
from orchestration.definitions import defs
from orchestration.loop.transform import build_models, parse
from orchestration.settings import read_settings
from tests.golden.keys import golden_keys
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.load import ensure_landing, load

found = read_settings()
settings = found.model_copy(update={"city": dataclasses.replace(found.city, sources=("rainfall",))})
contract = settings.contracts()["rainfall"]
settings.layout.create()
drop = settings.layout.drop("rainfall")
drop.mkdir(parents=True, exist_ok=True)
(drop / "neerslag.csv").write_text(sys.argv[1])
(drop / "neerslag.csv.ready").touch()
(landed,) = land(settings, contract, datetime.now(UTC))
with connect(settings.layout.warehouse) as con:
    ensure_landing(con, all_contracts())
    load(con, Lake(settings.layout.lake), settings.contracts())
build_models(settings, date(2026, 11, 23), ("--select", "stg_rainfall__days"))
with connect(settings.layout.warehouse) as con:
    staged = con.execute("select gauge, rain_mm from staging.stg_rainfall__days order by all").fetchall()
parse(found)
everything = defs()
definitions = landing_definitions(contract, settings)
print(json.dumps({
    "all_keys": sorted(key.to_user_string() for key in everything.resolve_all_asset_keys()),
    "golden_keys": golden_keys(),
    "outcome": landed.outcome,
    "message": landed.message,
    "staged": staged,
    "jobs": [job.name for job in definitions.jobs],
    "sensors": [sensor.name for sensor in definitions.sensors],
    "keys": [key.to_user_string() for asset in definitions.assets for key in asset.keys],
    "checks": [
        check.name for made in [*definitions.assets, *definitions.asset_checks] for check in made.check_specs
    ],
    "groups": [group for asset in definitions.assets for group in set(asset.group_names_by_key.values())],
}))
"""


def _tree(folder: Path) -> dict[str, bytes]:
    """Every file that is kept, by its path."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    made = re.compile(r"(^|/)(__pycache__|target|logs|var|\.[a-z_]*cache|\.git|\.venv|\.user\.yml)(/|$)")
    return {name: path.read_bytes() for name, path in found.items() if not made.search(name)}


@pytest.fixture(scope="module")
def scratch(root: Path, kept_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the four files, after the one command that CONTRIBUTING names."""
    copy = tmp_path_factory.mktemp("scratch")
    for path in kept_files:
        (copy / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy / path.relative_to(root), follow_symlinks=False)
    for name, text in FOUR_FILES.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")
    _run(copy, "-m", "orchestration.cli", "contracts", "write")
    return copy


def _run(copy: Path, *words: str, **settings: str) -> str:
    """What a process of its own says in the copy."""
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), **settings},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def travelled(scratch: Path) -> dict[str, Any]:
    """What a dropped file of the sixth source became; one process, in which dbt runs too."""
    said = _run(scratch, "-c", WAY, DROPPED, ADEMRUIMTE_HOME=str(scratch / "var"), ADEMRUIMTE_CITY="kortrijk")
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result


def test_a_sixth_source_changes_no_line_that_somebody_wrote(root: Path, kept_files: list[Path], scratch: Path) -> None:
    before = {path.relative_to(root).as_posix(): path.read_bytes() for path in kept_files}
    after = _tree(scratch)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == (
        WRITTEN | FOUR_FILES.keys()
    )


def test_the_tests_of_all_sources_pass_with_a_sixth(scratch: Path) -> None:
    assert " passed" in _run(scratch, *PYTEST, *TESTS_OF_ALL_SOURCES)


def test_the_tests_of_each_source_pass_for_a_sixth(scratch: Path) -> None:
    said = _run(scratch, *PYTEST, *TESTS_OF_EACH_SOURCE, "-k", "rainfall", FUZZ_ROWS="500")
    assert int(said.rpartition(" passed")[0].split()[-1]) > 20


def test_the_files_of_a_sixth_source_are_as_the_house_writes(scratch: Path) -> None:
    written = [name for name in FOUR_FILES if name.endswith(".py")]
    _run(scratch, "-m", "ruff", "check", "--no-cache", *written)
    _run(scratch, "-m", "ruff", "format", "--no-cache", "--check", *written)


def test_a_sixth_source_lands_and_its_bad_row_is_refused(travelled: dict[str, Any]) -> None:
    assert travelled["outcome"] == "landed"
    assert travelled["message"].startswith("3 rows received: 2 accepted, 1 refused")


def test_a_sixth_source_is_staged(travelled: dict[str, Any]) -> None:
    assert travelled["staged"] == [["leie", 14.8], ["station", 9.3]]


def test_a_sixth_source_has_its_job_and_its_trigger(travelled: dict[str, Any]) -> None:
    assert travelled["jobs"] == ["land_rainfall", "watch_rainfall"]
    assert travelled["sensors"] == ["rainfall_drop"]


def test_a_sixth_source_has_its_asset_its_group_and_its_checks(travelled: dict[str, Any]) -> None:
    assert travelled["keys"] == ["landing/rainfall/days"]
    assert travelled["groups"] == ["rainfall"]
    assert {"honours_contract", "arrived_on_time"} <= set(travelled["checks"])


def test_the_golden_asset_keys_hold_those_of_a_sixth_source(travelled: dict[str, Any]) -> None:
    assert travelled["all_keys"] == travelled["golden_keys"]
    assert {"landing/rainfall/days", "staging/stg_rainfall__days"} <= set(travelled["all_keys"])
