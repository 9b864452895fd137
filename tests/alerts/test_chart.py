import struct
from datetime import date

import polars as pl
import pytest

from orchestration.alerts.chart import Path, alternative_text, draw, series

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
    assert 1000 <= width <= 1400
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
    assert past.points == [(date(2025, 12, 31), 1700.0), (date(2026, 11, 22), 1731.0)]
    assert past.is_past


def test_without_observations_the_words_still_say_what_is_needed() -> None:
    words = alternative_text("Bomen", NOTHING, RISING)
    assert words == ("Lijngrafiek van Bomen. Het pad vroeg 1.078 op 22/11/2026. Het doel is 1.326 tegen 31/12/2030.")
