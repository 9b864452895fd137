"""The working days of a city: weekends, legal holidays and its own closing days."""

from datetime import date

import polars as pl

from contracts.cities.profile import City

# holidays names these countries' days in Dutch; elsewhere it uses its default language
_DUTCH_NAMES = {"BE", "NL"}


def days(city: City, first: date, last: date) -> pl.DataFrame:
    """Every calendar day from `first` to `last`, both included.

    Returns:
        date, holiday (name or null), closing_reason (or null), is_working_day, working_day_no. The number
        counts working days since `first`, so the working days between two dates are a subtraction.
    """
    calendar = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
    return (
        calendar.join(_named("holiday", legal_holidays(city, first, last)), on="date", how="left")
        .join(_named("closing_reason", dict(city.closing_days)), on="date", how="left")
        .with_columns(
            is_working_day=(pl.col("date").dt.weekday() <= 5)
            & pl.col("holiday").is_null()
            & pl.col("closing_reason").is_null()
        )
        .with_columns(working_day_no=pl.col("is_working_day").cast(pl.Int64).cum_sum())
    )


def legal_holidays(city: City, first: date, last: date) -> dict[date, str]:
    """The legal holidays by date, named in Dutch where the library can."""
    # loads its country tables on import; only who needs a calendar pays
    import holidays  # noqa: PLC0415

    found = holidays.country_holidays(
        city.country,
        subdiv=city.subdivision,
        years=range(first.year, last.year + 1),
        language="nl" if city.country in _DUTCH_NAMES else None,
    )
    return dict(found.items())


def _named(column: str, by_date: dict[date, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"date": list(by_date), column: list(by_date.values())}, schema={"date": pl.Date, column: pl.String}
    )
