"""The indicator files as a department would type them, looked at before any reader of ours has touched them."""

import csv
import io
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from contracts.cities.kortrijk import CITY
from ingestion.demo_city.areas import SECTORS

HEADER = [
    *("kpi_id", "area", "ref_date", "value", "unit", "source", "published_at"),
    *("uncertainty", "uncertainty_low", "uncertainty_high", "entered_by_role", "checked_by_role", "embargo_until"),
]
BELGIAN_DAY = re.compile(r"\d{2}/\d{2}/\d{4}")


@pytest.fixture(scope="module")
def files(dropped: list[Path]) -> dict[str, Path]:
    return {path.name: path for path in dropped if path.parent.name == "indicators"}


def rows_of(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


@pytest.fixture(scope="module")
def typed(files: dict[str, Path]) -> dict[str, list[dict[str, str]]]:
    """The rows of every text file, as they were typed."""
    return {name: rows_of(path) for name, path in files.items() if path.suffix == ".csv"}


def day(written: str) -> date:
    return datetime.strptime(written, "%d/%m/%Y").date()  # noqa: DTZ007 - a day has no zone


def test_every_text_file_opens_in_a_belgian_spreadsheet_with_a_double_click(
    files: dict[str, Path], typed: dict[str, list[dict[str, str]]]
) -> None:
    assert len(typed) == 4
    for name in typed:
        content = files[name].read_bytes()
        assert content.startswith(b"\xef\xbb\xbf"), name
        assert content.count(b"\r\n") == content.count(b"\n") > 3, name
        assert content.decode("utf-8-sig").splitlines()[0] == ";".join(HEADER), name


def test_numbers_are_typed_with_a_comma_and_days_as_day_month_year(typed: dict[str, list[dict[str, str]]]) -> None:
    rows = [row for rows in typed.values() for row in rows]
    assert any("," in row["value"] for row in rows)
    assert not any("." in row["value"] for row in rows)
    assert all(BELGIAN_DAY.fullmatch(row[name]) for row in rows for name in ("ref_date", "published_at"))


def test_only_a_share_of_respondents_has_an_uncertainty(files: dict[str, Path]) -> None:
    units = set()
    for path in files.values():
        given = rows_of(path) if path.suffix == ".csv" else workbook_rows(path)
        units |= {str(row["unit"]) for row in given if row["uncertainty"]}
    assert units == {"% of respondents"}


def workbook_rows(path: Path) -> list[dict[str, object]]:
    header, *rows = load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_a_workbook_holds_numbers_and_dates_and_no_text_that_looks_like_them(files: dict[str, Path]) -> None:
    (path,) = [path for path in files.values() if path.suffix == ".xlsx"]
    rows = workbook_rows(path)
    assert list(rows[0]) == HEADER
    assert {type(row["value"]) for row in rows} <= {int, float}
    assert {type(row[name]) for row in rows for name in ("ref_date", "published_at")} == {datetime}


def test_no_value_speaks_of_a_day_after_its_publication_but_the_one_that_must_be_refused(
    typed: dict[str, list[dict[str, str]]],
) -> None:
    early = {
        (name, row["published_at"])
        for name, rows in typed.items()
        for row in rows
        if day(row["ref_date"]) > day(row["published_at"])
    }
    assert early == {("indicatoren_klimaat_2026-11.csv", "01/01/2020")}


def test_an_observation_stands_once_in_its_file_apart_from_the_lines_pasted_twice(
    typed: dict[str, list[dict[str, str]]],
) -> None:
    pasted = {}
    for name, rows in typed.items():
        times = Counter(tuple(row.values()) for row in rows)
        pasted[name] = sum(count - 1 for count in times.values())
    assert pasted.pop("indicatoren_klimaat_2026-11.csv") == 2
    assert set(pasted.values()) == {0}


def test_roofs_are_told_for_every_sector_and_every_year_and_only_grow(
    typed: dict[str, list[dict[str, str]]],
) -> None:
    roofs = [row for row in typed["indicatoren_klimaat_2026-11.csv"] if row["kpi_id"] == "pv_roofs_2030"]
    shares: dict[str, dict[date, float]] = {}
    for row in roofs:
        if row["area"] in SECTORS and row["value"][0].isdigit() and day(row["published_at"]) > day(row["ref_date"]):
            shares.setdefault(row["area"], {})[day(row["ref_date"])] = float(row["value"].replace(",", "."))
    assert set(shares) == set(SECTORS)
    for sector, by_day in shares.items():
        values = [by_day[known] for known in sorted(by_day)]
        assert len(values) == 3, sector
        assert values == sorted(set(values)), f"{sector}: panels are not taken off roofs"
        assert 0 < values[-1] < 100, sector


def test_a_correction_speaks_of_the_whole_city_only(typed: dict[str, list[dict[str, str]]]) -> None:
    rows = typed["indicatoren_klimaat_correctie_2026-11.csv"]
    assert {row["area"] for row in rows} == {CITY.area_id}
    assert {day(row["published_at"]) for row in rows} == {date(2026, 11, 19)}


def test_the_demo_tells_of_no_board_for_residents_that_does_not_exist(typed: dict[str, list[dict[str, str]]]) -> None:
    told = [row["value"] for rows in typed.values() for row in rows if row["kpi_id"] == "monitoring_board"]
    assert told == ["0"]


def test_a_figure_that_bears_three_promises_is_typed_once(typed: dict[str, list[dict[str, str]]]) -> None:
    told = {row["kpi_id"] for rows in typed.values() for row in rows}
    assert {kpi_id for kpi_id in told if kpi_id.startswith("co2_")} == {"co2_territory_2030"}


def test_every_sector_code_is_of_kortrijk_and_stands_once() -> None:
    assert len(set(SECTORS)) == len(SECTORS) > 100
    assert all(re.fullmatch(r"34022[A-H][0-9A-Z]{2}[0-9A-Z-]", sector) for sector in SECTORS)
