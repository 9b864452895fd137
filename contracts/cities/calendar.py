"""The working days of a city: weekends, legal holidays and its own closing days."""

from collections.abc import Container, Mapping
from datetime import date
from functools import cache

import polars as pl

from contracts.cities.profile import City

# holidays names these countries' days in Dutch; elsewhere it uses its default language
_DUTCH_NAMES = {"BE", "NL"}
_FRIDAY = 5


def days(city: City, first: date, last: date) -> pl.DataFrame:
    """Every calendar day from `first` to `last`, both included.

    Returns:
        date, holiday (name or null), closing_reason (or null), is_working_day, working_day_no. The number
        counts working days since `first`, so the working days between two dates are a subtraction.
    """
    holidays = legal_holidays(city, first, last)
    calendar = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
    return (
        calendar.join(_named("holiday", holidays), on="date", how="left")
        .join(_named("closing_reason", dict(city.closing_days)), on="date", how="left")
        .with_columns(is_working_day=pl.Series([_works(city, day, holidays) for day in calendar["date"]]))
        .with_columns(working_day_no=pl.col("is_working_day").cast(pl.Int64).cum_sum())
    )


def is_working_day(city: City, day: date) -> bool:
    """Whether the city's services are open on a day."""
    return _works(city, day, legal_holidays(city, day, day))


def legal_holidays(city: City, first: date, last: date) -> dict[date, str]:
    """The legal holidays of the years from `first` to `last` by date, named in Dutch where the library can."""
    named = (_of_year(city.country, city.subdivision, year) for year in range(first.year, last.year + 1))
    return {day: name for year in named for day, name in year.items()}


@cache
def _of_year(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    # loads its country tables on import; only who needs a calendar pays
    import holidays  # noqa: PLC0415

    language = "nl" if country in _DUTCH_NAMES else None
    return dict(holidays.country_holidays(country, subdiv=subdivision, years=year, language=language).items())


def _works(city: City, day: date, holidays: Container[date]) -> bool:
    return day.isoweekday() <= _FRIDAY and day not in holidays and day not in city.closing_days


def _named(column: str, by_date: dict[date, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"date": list(by_date), column: list(by_date.values())}, schema={"date": pl.Date, column: pl.String}
    )
