"""How text is read: what cannot be read is null, never a guess."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from contracts import reading


def _read(expression: pl.Expr, *values: str | None) -> list[object]:
    found: list[object] = pl.DataFrame({"x": values}, schema={"x": pl.String}).select(expression).to_series().to_list()
    return found


def test_text_is_trimmed_and_empty_is_nothing() -> None:
    assert _read(reading.text("x"), " a b ", "", "  ", None) == ["a b", None, None, None]


@pytest.mark.parametrize(
    ("written", "value"),
    [("1,5", 1.5), ("1.5", 1.5), ("-2", -2.0), (" 3 ", 3.0), ("1.000,5", None), ("veel", None), ("", None)],
)
def test_a_number_has_a_decimal_comma_or_point_and_no_thousands(written: str, value: float | None) -> None:
    assert _read(reading.number("x"), written) == [value]


@pytest.mark.parametrize(("written", "value"), [("22000", 22000), ("22000.5", None), ("9" * 30, None), (None, None)])
def test_a_whole_number_is_whole(written: str | None, value: int | None) -> None:
    assert _read(reading.whole_number("x"), written) == [value]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-11-02", date(2026, 11, 2)),
        ("02-11-2026", date(2026, 11, 2)),
        ("02/11/2026", date(2026, 11, 2)),
        ("2026-11-02 00:00:00", date(2026, 11, 2)),
        ("2026-11-02T00:00:00.000", date(2026, 11, 2)),
        ("31/02/2026", None),
        ("11/22/2026", None),
        ("45983", None),
    ],
)
def test_a_day_is_iso_or_day_first(written: str, value: date | None) -> None:
    assert _read(reading.day("x"), written) == [value]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00.259Z", datetime(2026, 11, 22, 10, 0, 0, 259000, tzinfo=UTC)),
        ("2026-11-22T10:00:00+01:00", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("2026-11-22T10:00:00-05:00", datetime(2026, 11, 22, 15, tzinfo=UTC)),
        ("2026-11-22", None),
        ("yesterday", None),
    ],
)
def test_an_instant_is_utc_unless_it_says_otherwise(written: str, value: datetime | None) -> None:
    assert _read(reading.instant("x"), written) == [value]


def test_a_boolean_may_be_json_or_dutch() -> None:
    assert _read(reading.boolean("x"), "true", "FALSE", "ja", "Nee", "x", "1", "0") == [
        True,
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert _read(reading.boolean("x"), "misschien", "", None) == [None, None, None]


def test_a_local_date_is_that_of_the_city() -> None:
    late = pl.Series("x", [datetime(2026, 11, 22, 23, 30, tzinfo=UTC)])
    found = late.to_frame().select(
        reading.local_date("x", "Europe/Brussels").alias("here"),
        reading.local_date("x", "America/New_York").alias("there"),
    )
    assert found.row(0) == (date(2026, 11, 23), date(2026, 11, 22))


@pytest.mark.parametrize(
    ("written", "value"),
    [("46348", date(2026, 11, 22)), ("46348.0", date(2026, 11, 22)), ("22/11/2026", date(2026, 11, 22))],
)
def test_a_date_that_lost_its_format_is_the_days_since_1899(written: str, value: date) -> None:
    assert _read(reading.kept_day("x"), written) == [value]


@pytest.mark.parametrize("written", ["12345", "463480", "46348.5", "2026", ""])
def test_another_number_is_no_date(written: str) -> None:
    assert _read(reading.kept_day("x"), written) == [None]


def test_a_point_before_three_digits_is_not_read_where_commas_are_decimal() -> None:
    assert _read(reading.kept_number("x"), "1,5", "1.234", "1.2345", "12", None) == [1.5, None, 1.2345, 12, None]
    assert _read(reading.kept_number("x"), "1.5", "1.234", "12") == [1.5, 1.234, 12]


def test_a_comma_in_a_column_beside_it_tells_how_the_file_writes_numbers() -> None:
    rows = pl.DataFrame({"x": ["1.234", "7"], "y": ["2,5", None]})
    assert rows.select(reading.kept_number("x", ("y",)))["x"].to_list() == [None, 7]


@pytest.mark.parametrize(("written", "value"), [("j", True), ("WAAR", True), ("neen", False), ("misschien", None)])
def test_a_tick_is_read_in_the_words_people_use(written: str, value: object) -> None:
    assert _read(reading.boolean("x"), written) == [value]


@pytest.mark.parametrize(
    "written", ["16/11/26", "2/2/22", "-26-11-16", "26-11-16", "0026-11-16", "2101-01-01", "1/1/1899"]
)
def test_a_day_or_moment_has_a_year_of_four_digits_from_1900_to_2100(written: str) -> None:
    assert _read(reading.day("x"), written) == [None]
    assert _read(reading.kept_day("x"), written) == [None]
    assert _read(reading.instant("x"), f"{written}T10:00:00Z") == [None]
