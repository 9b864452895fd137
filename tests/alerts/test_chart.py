import os
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from orchestration.alerts.chart import Path, alternative_text, draw, series, ticks

NOTHING = pl.DataFrame(schema={"date": pl.Date, "value": pl.Float64})
RISING = Path(date(2026, 11, 22), 900.0, 1078.0, date(2030, 12, 31), 1326.0)


def _size(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])


def test_the_series_is_the_municipality_and_not_its_sectors(observations: pl.DataFrame) -> None:
    assert series(observations, "charge_points_total")["value"].to_list() == [700.0, 800.0, 900.0]


def test_another_kpi_has_no_series(observations: pl.DataFrame) -> None:
    assert series(observations, "unseen").is_empty()


def test_the_picture_is_sharp_and_fits_a_mail(observations: pl.DataFrame) -> None:
    width, height = _size(draw(series(observations, "charge_points_total"), RISING, "laadpunten"))
    assert 800 <= width <= 1200
    assert height < width


@pytest.mark.parametrize(
    "path",
    [
        RISING,
        Path(date(2026, 11, 22), 88.0, 100.0, None, 100.0),
        Path(date(2026, 11, 22), 612.0, 1731.0, date(2025, 12, 31), 1731.0),
        Path(None, None, None, None, None),
    ],
    ids=["deadline ahead", "norm without deadline", "deadline past", "nothing known"],
)
@pytest.mark.parametrize("is_observed", [True, False])
def test_every_kind_of_path_can_be_drawn_with_and_without_observations(
    observations: pl.DataFrame, path: Path, *, is_observed: bool
) -> None:
    measured = series(observations, "charge_points_total") if is_observed else NOTHING
    assert draw(measured, path, "eenheid").startswith(b"\x89PNG")


def test_the_same_input_gives_the_same_picture(observations: pl.DataFrame) -> None:
    measured = series(observations, "charge_points_total")
    assert draw(measured, RISING, "laadpunten") == draw(measured, RISING, "laadpunten")


def test_the_path_runs_by_date_also_when_the_deadline_has_passed() -> None:
    past = Path(date(2026, 11, 22), 612.0, 1731.0, date(2025, 12, 31), 1700.0)
    assert past.points(NOTHING) == [(date(2025, 12, 31), 1700.0), (date(2026, 11, 22), 1731.0)]
    assert past.is_past


BENT = [(date(2024, 1, 1), 600.0), (date(2027, 12, 31), 1300.0), (date(2030, 12, 31), 1326.0)]


def test_the_path_is_drawn_from_its_start_along_its_bends_to_its_deadline() -> None:
    path = replace(RISING, along=BENT)
    assert path.points(NOTHING) == [BENT[0], (date(2026, 11, 22), 1078.0), *BENT[1:]]
    assert "Het pad begint bij 600 op 01/01/2024." in alternative_text("Bomen", NOTHING, path)


def test_a_norm_without_an_end_holds_from_the_first_figure_to_the_last(observations: pl.DataFrame) -> None:
    level = [(date(2022, 1, 1), 100.0), (date(2027, 12, 31), 100.0)]
    norm = Path(date(2026, 11, 22), 88.0, 100.0, None, 100.0, limit_value=95.0, along=level)
    measured = series(observations, "charge_points_total")
    assert norm.points(measured) == [(date(2024, 11, 22), 100.0), (date(2026, 11, 22), 100.0)]
    assert "Met de marge erbij ligt de grens op 95." in alternative_text("Vragen", measured, norm)


def test_where_it_may_end_is_drawn_and_told_while_the_deadline_is_ahead() -> None:
    ahead = replace(RISING, forecast=1253.0, band=(1102.0, 1404.0))
    assert ahead.outlook == [(date(2026, 11, 22), 900.0), (date(2030, 12, 31), 1253.0)]
    words = "Aan het recente tempo wordt het 1.253 op die dag, met ongeveer 8 kansen op 10 tussen 1.102 en 1.404."
    assert words in alternative_text("Bomen", NOTHING, ahead)
    assert draw(NOTHING, ahead, "bomen") != draw(NOTHING, replace(ahead, band=None), "bomen")
    assert replace(ahead, target_date=date(2025, 12, 31)).outlook == []


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2005, 12, 31), date(2030, 12, 31), [date(year, 1, 1) for year in range(2006, 2031, 4)]),
        (date(2026, 6, 15), date(2026, 11, 22), [date(2026, month, 1) for month in range(7, 12)]),
        (date(2026, 11, 22), date(2026, 11, 22), []),
    ],
)
def test_a_tick_is_the_first_day_of_the_year_or_month_that_it_names(
    first: date, last: date, expected: list[date]
) -> None:
    assert ticks(first, last) == expected


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_a_picture_names_the_same_months_on_a_machine_in_another_zone(observations: pl.DataFrame, zone: str) -> None:
    measured = series(observations, "charge_points_total")
    drawn = "import sys, polars as pl; from datetime import date; from orchestration.alerts.chart import draw, Path; "
    drawn += f"measured = pl.DataFrame({measured.to_dict(as_series=False)!r}).cast({{'date': pl.Date}}); "
    drawn += f"sys.stdout.buffer.write(draw(measured, {RISING!r}, 'laadpunten'))"
    there = {**os.environ, "TZ": zone}
    made = subprocess.run(
        [sys.executable, "-c", drawn.replace("datetime.date", "date")], env=there, check=True, capture_output=True
    )
    assert made.stdout == draw(measured, RISING, "laadpunten")


def test_without_observations_the_words_still_say_what_is_needed() -> None:
    words = alternative_text("Bomen", NOTHING, RISING)
    assert words == ("Lijngrafiek van Bomen. Het pad vroeg 1.078 op 22/11/2026. Het doel is 1.326 tegen 31/12/2030.")
