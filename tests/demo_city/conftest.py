"""The demo city, made once, and the real folder where it exists."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from contracts.gate import Split, split
from contracts.registry import all_contracts, city_named
from ingestion.delivery import Context, DroppedFile
from ingestion.demo_city import city
from ingestion.source import source_named


@dataclass(frozen=True)
class Landed:
    """One table of a dropped file, read by its source and judged by its contract."""

    name: str
    source: str
    supplied_at: datetime
    received: pl.DataFrame
    split: Split


def register_rows(drop: Path) -> pl.DataFrame:
    """The accepted rows of the register of buildings in a drop folder."""
    (file,) = (drop / "buildings").glob("*register.*[vx]")
    kortrijk = city_named("kortrijk")
    received = source_named("buildings").read(DroppedFile(file, city.CLOCK), Context(kortrijk)).tables["connections"]
    accepted = split(received, all_contracts()["buildings"].table("connections"), kortrijk).accepted
    return accepted.with_columns(supplied_at=pl.lit(city.CLOCK), content_sha256=pl.lit("a"))


def land(file: Path) -> list[Landed]:
    source = file.parent.name
    ready = file.with_name(f"{file.name}.ready")
    supplied_at = datetime.fromisoformat(ready.read_text(encoding="utf-8").strip())
    kortrijk = city_named("kortrijk")
    context = Context(kortrijk, rows=lambda *_: register_rows(file.parents[1]))
    delivery = source_named(source).read(DroppedFile(file, supplied_at), context)
    contract = all_contracts()[source]
    return [
        Landed(file.name, source, supplied_at, received, split(received, contract.table(table), kortrijk))
        for table, received in delivery.tables.items()
    ]


@pytest.fixture(scope="session")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return city.write_drops(tmp_path_factory.mktemp("demo") / "drop")


@pytest.fixture(scope="session")
def landed(dropped: list[Path]) -> list[Landed]:
    return [one for file in dropped for one in land(file)]
