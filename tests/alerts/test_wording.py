import csv
from datetime import date
from pathlib import Path

import pytest
import yaml

from orchestration.alerts import wording

PROJECT = Path(__file__).parents[2] / "dbt_project"
SEEDS, VERDICTS = PROJECT / "seeds", PROJECT / "models" / "verdicts" / "_verdicts.yml"


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


def _registry_units() -> set[str]:
    units = set()
    for targets in SEEDS.glob("*/targets.csv"):
        with targets.open(encoding="utf-8", newline="") as lines:
            units |= {row["unit"] for row in csv.DictReader(lines)}
    return units


def _dictionary(name: str) -> dict[str, dict[str, str]]:
    with (SEEDS / "shared" / name).open(encoding="utf-8", newline="") as lines:
        return {next(iter(row.values())): row for row in csv.DictReader(lines)}


def test_every_unit_of_every_registry_has_words_in_both_languages() -> None:
    words = _dictionary("unit_labels.csv")
    assert _registry_units()
    assert {unit for unit in _registry_units() if unit not in words} == set()
    assert [row for row in words.values() if not (row["label_nl"] and row["label_en"])] == []


def test_every_status_has_words_in_both_languages_and_no_word_of_before() -> None:
    words = _dictionary("status_labels.csv")
    accepted = yaml.safe_load(VERDICTS.read_text("utf-8"))["models"][0]["columns"]
    (tests,) = (column["data_tests"] for column in accepted if column["name"] == "status")
    assert set(tests[0]["accepted_values"]["arguments"]["values"]) == set(words)
    assert all(row["label_nl"] and row["label_en"] for row in words.values())
    assert words["overdue"]["label_nl"] == "termijn verstreken"
    assert wording.status_en("awaiting_figure") == "deadline passed, figure not known yet"


@pytest.mark.parametrize(
    ("value", "unit", "read"),
    [
        (-9.8, "% change vs 2005", "−9,8 %"),
        (836.0, "charge points", "836"),
        (1.0, "milestone 0/1", "klaar"),
        (0.0, "milestone 0/1", "nog niet klaar"),
        (None, "charge points", "onbekend"),
    ],
)
def test_a_figure_of_a_table_has_its_sign_and_percent(value: float | None, unit: str, read: str) -> None:
    assert wording.figure(value, unit) == read


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.0, "vragen te laat", "1 vraag te laat"),
        (2.0, "vragen te laat", "2 vragen te laat"),
        (0.15, "charge points", "0,15 laadpunten"),
        (1.0, "charge points", "1 laadpunt"),
        (1.0, "kg CO2", "1 kg CO₂"),
        (1.0, "trees (additional)", "1 extra boom"),
    ],
)
def test_one_of_something_is_not_called_many(value: float, unit: str, text: str) -> None:
    assert wording.amount(value, unit) == text


def test_an_unknown_unit_is_left_as_it_is() -> None:
    assert (wording.unit("furlong"), wording.unit_en("furlong")) == ("furlong", "furlong")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("van −70 % tegen 2040", "van −70_% tegen 2040"),
        ("1.250 kWh of 3,5 m² in 2 maanden", "1.250_kWh of 3,5_m² in 2 maanden"),
        ("5 MWp vermogen, 1 kg CO₂ en 3 km²", "5_MWp vermogen, 1_kg CO₂ en 3_km²"),
        ("12 makers, 4 mails", "12 makers, 4 mails"),
    ],
)
def test_no_line_ends_between_a_figure_and_its_sign(text: str, kept: str) -> None:
    assert wording.unbroken(text) == kept.replace("_", "\N{NO-BREAK SPACE}")
