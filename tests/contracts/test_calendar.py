"""The working days on which the city's promises run."""

from datetime import date, timedelta

import polars as pl
import pytest

from contracts.cities.calendar import days, legal_holidays
from contracts.registry import all_cities, city_named

_KORTRIJK = city_named("kortrijk")
_DAYS = days(_KORTRIJK, date(2026, 1, 1), date(2027, 12, 31))


def _due(asked: date, working_days: int = 5) -> date:
    """The last day to answer: the day of asking does not count."""
    asked_no = _DAYS.filter(pl.col("date") == asked)["working_day_no"][0]
    due: date = _DAYS.filter(pl.col("working_day_no") == asked_no + working_days)["date"][0]
    return due


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 11, 20), date(2026, 11, 27)),
        (date(2026, 11, 21), date(2026, 11, 27)),
        (date(2026, 11, 22), date(2026, 11, 27)),
        (date(2026, 11, 23), date(2026, 11, 30)),
        (date(2026, 11, 24), date(2026, 12, 1)),
        (date(2026, 3, 27), date(2026, 4, 3)),
        (date(2026, 4, 2), date(2026, 4, 10)),
        (date(2026, 5, 12), date(2026, 5, 20)),
        (date(2026, 7, 10), date(2026, 7, 17)),
        (date(2026, 7, 17), date(2026, 7, 27)),
        (date(2026, 10, 23), date(2026, 10, 30)),
        (date(2026, 10, 30), date(2026, 11, 9)),
        (date(2026, 12, 18), date(2026, 12, 28)),
        (date(2026, 12, 24), date(2027, 1, 4)),
    ],
    ids=[
        "a Friday",
        "a Saturday",
        "a Sunday",
        "a Monday",
        "a Tuesday",
        "over the March change of clock",
        "over Easter Monday",
        "over Ascension",
        "over a closing day in the weekend",
        "over the national holiday",
        "over the October change of clock",
        "over All Saints and All Souls",
        "over Christmas and a closing day in the weekend",
        "over the turn of the year",
    ],
)
def test_an_answer_is_due_on_the_fifth_working_day(asked: date, due: date) -> None:
    assert _due(asked) == due


def test_every_day_is_there_once_and_in_order() -> None:
    expected = [date(2026, 1, 1) + timedelta(day) for day in range(730)]
    assert _DAYS["date"].to_list() == expected


def test_a_day_says_why_it_is_free() -> None:
    named = {row["date"]: row for row in _DAYS.iter_rows(named=True)}
    assert named[date(2026, 7, 21)]["holiday"] == "Nationale feestdag"
    assert named[date(2026, 11, 2)]["closing_reason"] == "Allerzielen"
    assert named[date(2026, 11, 2)]["holiday"] is None
    assert not named[date(2026, 11, 2)]["is_working_day"]
    assert named[date(2026, 11, 3)]["is_working_day"]
    assert not named[date(2026, 11, 22)]["is_working_day"]


def test_the_number_counts_working_days_only() -> None:
    steps = _DAYS.with_columns(step=pl.col("working_day_no").diff().fill_null(0))
    assert steps.filter(pl.col("step") != pl.col("is_working_day").cast(pl.Int64))["date"].to_list() == []


def test_belgium_has_ten_legal_holidays_and_the_two_sundays() -> None:
    found = legal_holidays(_KORTRIJK, date(2026, 1, 1), date(2026, 12, 31))
    assert len(found) == 12
    # closed by custom, not by law: they stand in the profile
    assert not {date(2026, 7, 11), date(2026, 11, 2), date(2026, 11, 15), date(2026, 12, 26)} & set(found)


@pytest.mark.parametrize("name", all_cities())
def test_every_city_has_a_calendar_until_the_middle_of_the_century(name: str) -> None:
    found = days(city_named(name), date(2019, 1, 1), date(2051, 12, 31))
    assert found.columns == ["date", "holiday", "closing_reason", "is_working_day", "working_day_no"]
    assert found["date"].is_unique().all()
    # four weeks closed would be a fault in the calendar
    working = found.filter("is_working_day")["date"]
    assert working.diff().max() <= timedelta(days=10)


def test_the_calendar_follows_the_city() -> None:
    # a Monday that only Massachusetts and Maine keep
    patriots = date(2026, 4, 20)
    boston, kortrijk = (days(city_named(name), patriots, patriots) for name in ("boston", "kortrijk"))
    assert not boston["is_working_day"][0]
    assert kortrijk["is_working_day"][0]
