"""A sixth source is four new files and not one changed line: landed, checked and staged by discovery alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# one interpreter of its own, that imports Dagster and parses the whole dbt project
pytestmark = pytest.mark.slow

CONTRACT = '''"""Bicycles counted per day."""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import day, text, whole_number
from contracts.vocabulary import Column, OnArrival, Received, Sensitivity, SourceContract, TableContract


def _parse(rows: pl.DataFrame, _: City) -> pl.DataFrame:
    return rows.select(text("post").alias("post_id"), day("dag").alias("count_date"), whole_number("fietsen"))


COUNTS = TableContract(
    name="counts",
    description="Bicycles that passed one post on one day.",
    received=Received(columns=("post", "dag", "fietsen"), required=("post", "dag", "fietsen")),
    parse=_parse,
    columns=(
        Column("post_id", pl.String, "the counting post", reads="post"),
        Column("count_date", pl.Date, "city date", reads="dag"),
        Column("fietsen", pl.Int64, "bicycles", minimum=0),
    ),
    key=("post_id", "count_date"),
    version=(),
    event_date="count_date",
    event_order=("count_date", "post_id"),
)
CONTRACT = SourceContract(
    name="bike_counts",
    title_nl="Fietstellingen",
    owner="mobiliteit@kortrijk.example",
    version=1,
    triggers=(OnArrival((".csv",)),),
    fresh_within=timedelta(days=2),
    retention=timedelta(days=3650),
    sensitivity=Sensitivity.NONE,
    tables=(COUNTS,),
)
'''
MODULE = '''"""Bicycles counted per day, from the file of the posts' keeper."""

import polars as pl

from contracts.sources.bike_counts import COUNTS
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.protocols.spreadsheet import read_table
from ingestion.source import Source


class BikeCounts(Source):
    """The bicycles that passed the posts."""

    def read(self, file: DroppedFile, context: Context) -> Delivery:
        """One file."""
        original = file.path.read_bytes()
        tables = self.reread(original, file.path.name, context)
        return Delivery(file.path.name, tables, file.supplied_at, file.supplied_at, original)

    def reread(self, original: bytes, name: str, _: Context) -> dict[str, pl.DataFrame]:
        """The table in the bytes of an earlier delivery."""
        return {COUNTS.name: read_table(original, name, COUNTS.received)}


SOURCE = BikeCounts()
'''
MODEL = """select
    post_id,
    count_date,
    fietsen,
    batch_id,
    line,
    supplied_at,
    content_sha256,
    known_at
from {{ source('bike_counts', 'counts') }}
"""
DESCRIPTION = """sources:
  - name: bike_counts
    schema: landing
    description: "NL Fietstellingen | EN bicycles counted"
    tables:
      - name: counts
        identifier: bike_counts__counts
        description: "Bicycles that passed one post on one day."
        config:
          meta: {dagster: {asset_key: ["landing", "bike_counts", "counts"]}}

models:
  - name: stg_bike_counts__counts
    description: "NL Fietstellingen zoals geleverd | EN every delivered version, names only"
"""
FOUR_FILES = {
    "contracts/sources/bike_counts.py": CONTRACT,
    "ingestion/sources/bike_counts.py": MODULE,
    "dbt_project/models/staging/bike_counts/stg_bike_counts__counts.sql": MODEL,
    "dbt_project/models/staging/bike_counts/_bike_counts.yml": DESCRIPTION,
}
DROPPED = "post;dag;fietsen\nLeie;21-11-2026;1480\nLeie;22-11-2026;minder\nStation;22-11-2026;903\n"

# the way of a record through the very functions that the jobs call
WAY = """
import dataclasses, json, sys
from datetime import UTC, date, datetime
from contracts.registry import all_contracts
from orchestration.factories.landing_assets import landing_definitions
from orchestration.loop.landing import land
from orchestration.loop.transform import build_models
from orchestration.settings import read_settings
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.load import ensure_landing, load

found = read_settings()
settings = dataclasses.replace(found, city=dataclasses.replace(found.city, sources=("bike_counts",)))
contract = settings.contracts()["bike_counts"]
settings.layout.create()
drop = settings.layout.drop("bike_counts")
drop.mkdir(parents=True, exist_ok=True)
(drop / "tellingen.csv").write_text(sys.argv[1])
(drop / "tellingen.csv.ready").touch()
(landed,) = land(settings, contract, datetime.now(UTC))
with connect(settings.layout.warehouse) as con:
    ensure_landing(con, all_contracts())
    load(con, Lake(settings.layout.lake), settings.contracts())
build_models(settings, date(2026, 11, 23), ("--select", "stg_bike_counts__counts"))
with connect(settings.layout.warehouse) as con:
    staged = con.execute("select post_id, fietsen from staging.stg_bike_counts__counts order by all").fetchall()
definitions = landing_definitions(contract, settings)
print(json.dumps({
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


@pytest.fixture(scope="module")
def scratch(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the four files and nothing else changed."""
    copy = tmp_path_factory.mktemp("scratch")
    for room in ("contracts", "ingestion", "warehouse", "orchestration", "dbt_project"):
        shutil.copytree(root / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
    for name, text in FOUR_FILES.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def travelled(scratch: Path) -> dict[str, Any]:
    """What a dropped file of the sixth source became; one process, in which dbt runs too."""
    settings = {"ADEMRUIMTE_HOME": str(scratch / "var"), "ADEMRUIMTE_CITY": "kortrijk", "PYTHONPATH": str(scratch)}
    ended = subprocess.run(
        [sys.executable, "-c", WAY, DROPPED],
        cwd=scratch,
        env={**os.environ, **settings},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result


def test_a_sixth_source_lands_and_its_bad_row_is_refused(travelled: dict[str, Any]) -> None:
    assert travelled["outcome"] == "landed"
    assert travelled["message"].startswith("3 rows received: 2 accepted, 1 refused")


def test_a_sixth_source_is_staged(travelled: dict[str, Any]) -> None:
    assert travelled["staged"] == [["Leie", 1480], ["Station", 903]]


def test_a_sixth_source_has_its_job_and_its_trigger(travelled: dict[str, Any]) -> None:
    assert travelled["jobs"] == ["land_bike_counts", "watch_bike_counts"]
    assert travelled["sensors"] == ["bike_counts_drop"]


def test_a_sixth_source_has_its_asset_its_group_and_its_checks(travelled: dict[str, Any]) -> None:
    assert travelled["keys"] == ["landing/bike_counts/counts"]
    assert travelled["groups"] == ["bike_counts"]
    assert {"honours_contract", "arrived_on_time"} <= set(travelled["checks"])
