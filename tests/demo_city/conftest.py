"""The demo city, made once, and the real folder where it exists."""

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest

from contracts.gate import Split, split
from contracts.registry import all_contracts, city_named
from ingestion.delivery import Context, DroppedFile
from ingestion.demo_city import city


@dataclass(frozen=True)
class Landed:
    """One dropped file, read by its source and judged by its contract."""

    name: str
    source: str
    supplied_at: datetime
    received: pl.DataFrame
    split: Split


def land(file: Path) -> Landed:
    source = file.parent.name
    ready = file.with_name(f"{file.name}.ready")
    supplied_at = datetime.fromisoformat(ready.read_text(encoding="utf-8").strip())
    kortrijk = city_named("kortrijk")
    delivery = import_module(f"ingestion.sources.{source}").read(DroppedFile(file, supplied_at), Context(kortrijk))
    ((table, received),) = delivery.tables.items()
    outcome = split(received, all_contracts()[source].table(table), kortrijk)
    return Landed(file.name, source, supplied_at, received, outcome)


@pytest.fixture(scope="session")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return city.write_drops(tmp_path_factory.mktemp("demo") / "drop")


@pytest.fixture(scope="session")
def landed(dropped: list[Path]) -> list[Landed]:
    return [land(file) for file in dropped]
