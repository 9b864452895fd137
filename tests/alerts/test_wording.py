import csv
from datetime import date
from pathlib import Path

import pytest

from orchestration.alerts import wording

TARGETS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "kortrijk" / "targets.csv"
# Units that read the same in Dutch.
SHARED = {"turbines"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "onbekend"),
        (0.0, "0"),
        (1078.4, "1.078"),
        (1234567.0, "1.234.567"),
        (173.44, "173,4"),
        (-40.3, "−40,3"),
        (0.83, "0,83"),
        (12.0, "12"),
        (100.0, "100"),
    ],
)
def test_a_figure_reads_as_a_belgian_writes_it(value: float | None, text: str) -> None:
    assert wording.number(value) == text


def test_a_date_reads_day_first() -> None:
    assert wording.day(date(2026, 3, 1)) == "01/03/2026"
    assert wording.day(None) == "onbekend"


def test_every_unit_of_the_registry_has_dutch_words() -> None:
    with TARGETS.open(encoding="utf-8") as lines:
        units = {row["unit"] for row in csv.DictReader(lines)}
    assert units
    assert [unit for unit in sorted(units - SHARED) if wording.unit(unit) == unit] == []


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.0, "vragen te laat", "1 vraag te laat"),
        (2.0, "vragen te laat", "2 vragen te laat"),
        (0.15, "charge points", "0,15 laadpunten"),
        (1.0, "charge points", "1 laadpunt"),
        (1.0, "kg CO2", "1 kg CO2"),
    ],
)
def test_one_of_something_is_not_called_many(value: float, unit: str, text: str) -> None:
    assert wording.amount(value, unit) == text


def test_an_unknown_unit_is_left_as_it_is() -> None:
    assert wording.unit("kWh") == "kWh"
