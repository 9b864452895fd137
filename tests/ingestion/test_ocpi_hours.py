"""How many hours a day a charge point is open, at least."""

import json
from pathlib import Path

import pytest

from ingestion.protocols.ocpi_hours import least_hours_a_day


def _week(*periods: tuple[str, str], days: range = range(1, 8)) -> dict[str, object]:
    hours = [{"weekday": day, "period_begin": begin, "period_end": end} for day in days for begin, end in periods]
    return {"twentyfourseven": False, "regular_hours": hours}


@pytest.mark.parametrize(
    ("opening_times", "hours"),
    [
        ({"twentyfourseven": True}, 24),
        (_week(("08:00", "20:00")), 12),
        (_week(("08:00", "12:00"), ("13:00", "18:30")), 9.5),
        # periods that overlap, or lie within each other, are one
        (_week(("08:00", "18:00"), ("09:00", "12:00"), ("17:00", "20:00")), 12),
        # a day without hours is a closed day
        (_week(("08:00", "20:00"), days=range(1, 6)), 0),
        # a day ends at 23:59 or at 00:00 for who has no 24:00
        (_week(("00:00", "23:59")), 24),
        (_week(("00:00", "00:00")), 24),
        (_week(("00:00", "24:00")), 24),
        # over midnight, as the specification asks and as operators write it
        (_week(("22:00", "23:59"), ("00:00", "06:00")), 8),
        (_week(("22:00", "06:00")), 8),
    ],
)
def test_the_day_with_the_fewest_hours_counts(opening_times: object, hours: float) -> None:
    assert least_hours_a_day(opening_times) == pytest.approx(hours)


@pytest.mark.parametrize(
    "opening_times",
    [
        None,
        "always",
        {},
        {"twentyfourseven": False},
        {"regular_hours": []},
        {"regular_hours": "9-5"},
        {"regular_hours": [7]},
        _week(("8", "20:00")),
        _week(("08:00", "24:30")),
        _week(("08:00", "20:00"), days=range(7)),
        {"regular_hours": [{"weekday": [], "period_begin": "08:00", "period_end": "20:00"}]},
    ],
)
def test_hours_that_are_not_said_or_cannot_be_read_are_unknown(opening_times: object) -> None:
    assert least_hours_a_day(opening_times) is None


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("location_hours_247_open_exception_closing.json", 24),
        ("location_hours_opening_hours_with_exceptional_closing.json", 0),
        ("location_hours_opening_hours_with_exceptional_opening.json", 0),
        ("location_regularhours_example.json", 0),
    ],
)
def test_the_examples_of_the_specification_ignore_what_is_exceptional(
    real_data: Path, version: str, name: str, hours: float
) -> None:
    text = (real_data / "charge_points" / "ocpi_spec" / version / name).read_text("utf-8")
    found = json.loads(text if text.lstrip().startswith("{") else "{" + text + "}")
    assert least_hours_a_day(found.get("opening_times", found)) == hours
