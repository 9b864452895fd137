"""The change of clock, and the other traps of a meter reading."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from contracts.gate import Split, split
from contracts.registry import city_named
from contracts.sources.energy_meters import READINGS

_CITY = city_named("kortrijk")
_BRUSSELS = ZoneInfo("Europe/Brussels")
_READING = {
    "from_date": "20-11-2026",
    "from_time": "00:00:00",
    "to_date": "20-11-2026",
    "to_time": "00:15:00",
    "ean": '="541448800000000004"',
    "meter": "1SAG0000000000",
    "register": "Afname Dag",
    "volume": "0,520",
    "unit": "kWh",
    "status": "Uitgelezen",
    "gcv_state": None,
    "carrier": "electricity",
    "source": "fluvius_csv",
}


def _split(*readings: dict[str, str | None]) -> Split:
    rows = pl.DataFrame(
        [_READING | reading for reading in readings], schema=dict.fromkeys(READINGS.received.columns, pl.String)
    )
    return split(rows.with_row_index("line", offset=2).cast({"line": pl.Int64}), READINGS, _CITY)


def _interval(start: datetime, minutes: int) -> dict[str, str | None]:
    """An interval as the export writes it: wall clock, without offset."""
    begin, end = start.astimezone(_BRUSSELS), (start + timedelta(minutes=minutes)).astimezone(_BRUSSELS)
    return {
        "from_date": begin.strftime("%d-%m-%Y"),
        "from_time": begin.strftime("%H:%M:%S"),
        "to_date": end.strftime("%d-%m-%Y"),
        "to_time": end.strftime("%H:%M:%S"),
    }


def _day(day: date, minutes: int) -> list[dict[str, str | None]]:
    """All intervals of a city day, in the export's order: the repeated hour pairwise per label."""
    start = datetime.combine(day, datetime.min.time(), _BRUSSELS).astimezone(UTC)
    end = datetime.combine(day + timedelta(1), datetime.min.time(), _BRUSSELS).astimezone(UTC)
    count = (end - start) // timedelta(minutes=minutes)
    starts = [start + timedelta(minutes=minutes) * place for place in range(count)]
    # a stable sort on the label is what puts the two of a pair side by side
    return sorted((_interval(at, minutes) for at in starts), key=lambda cells: str(cells["from_time"]))


_DAYS = [
    (date(2026, 11, 20), 15, 96),
    (date(2026, 3, 29), 15, 92),
    (date(2026, 10, 25), 15, 100),
    (date(2026, 11, 20), 60, 24),
    (date(2026, 3, 29), 60, 23),
    (date(2026, 10, 25), 60, 25),
]


@pytest.mark.parametrize(("day", "minutes", "count"), _DAYS)
def test_a_day_has_all_its_intervals_once(day: date, minutes: int, count: int) -> None:
    found = _split(*_day(day, minutes))
    assert (found.accepted.height, found.quarantined.height, found.duplicate) == (count, 0, 0)
    starts = found.accepted["start_at"]
    assert starts.is_sorted()
    assert starts.diff().drop_nulls().unique().to_list() == [timedelta(minutes=minutes)]
    assert found.accepted["reading_date"].unique().to_list() == [day]
    assert found.accepted["end_at"].to_list()[:-1] == starts.to_list()[1:]


def test_the_first_of_a_pair_in_october_is_summer_time() -> None:
    pair = [row | {"volume": volume} for row, volume in zip(_october_pair(), ("1", "2"), strict=True)]
    found = _split(*_october_morning(), *pair)
    by_start = dict(found.accepted.select("start_at", "value").iter_rows())
    assert by_start[datetime(2026, 10, 25, 0, 45, tzinfo=UTC)] == 1
    assert by_start[datetime(2026, 10, 25, 1, 45, tzinfo=UTC)] == 2


def _october_pair() -> list[dict[str, str | None]]:
    return [_interval(datetime(2026, 10, 25, hour, 45, tzinfo=UTC), 15) for hour in (0, 1)]


def _october_morning() -> Iterator[dict[str, str | None]]:
    return (_interval(datetime(2026, 10, 24, 22, 15 * place, tzinfo=UTC), 15) for place in range(4))


def test_an_end_before_its_start_proves_summer_time_in_any_order() -> None:
    summer, winter = _october_pair()
    assert summer["to_time"] == "02:00:00"
    found = _split(*_october_morning(), winter | {"volume": "2"}, summer | {"volume": "1"})
    by_start = dict(found.accepted.select("start_at", "value").iter_rows())
    assert by_start[datetime(2026, 10, 25, 0, 45, tzinfo=UTC)] == 1


def test_a_third_reading_of_a_repeated_quarter_is_refused() -> None:
    found = _split(*_october_morning(), *_october_pair(), _october_pair()[1])
    assert (found.accepted.height, found.quarantined.height) == (6, 1)


def test_a_quarter_that_never_was_is_refused() -> None:
    found = _split(
        _READING, {"from_date": "29-03-2026", "from_time": "02:15:00", "to_date": "29-03-2026", "to_time": "02:30:00"}
    )
    assert found.quarantined["line"].to_list() == [3]
    assert "start_at: is missing" in found.quarantined["reasons"][0]


@pytest.mark.parametrize(
    ("day", "until", "hours"),
    [
        ("20-11-2026", ("21-11-2026", "00:00:00"), 24),
        ("29-03-2026", ("30-03-2026", "01:00:00"), 23),
        ("25-10-2026", ("25-10-2026", "23:00:00"), 25),
    ],
)
def test_a_day_total_is_the_city_day_whatever_its_end_says(day: str, until: tuple[str, str], hours: int) -> None:
    row = {"from_date": day, "to_date": until[0], "to_time": until[1], "register": "Afname Actief Nacht", "meter": ""}
    reading = _split(row).accepted.row(0, named=True)
    assert (reading["granularity"], reading["register"], reading["meter_id"]) == ("P1D", "night", "")
    assert reading["end_at"] - reading["start_at"] == timedelta(hours=hours)


def test_a_gas_day_runs_from_six_to_six() -> None:
    row = {
        "from_time": "06:00:00",
        "to_date": "21-11-2026",
        "to_time": "06:00:00",
        "register": "Afname",
        "carrier": "gas",
    }
    reading = _split(row).accepted.row(0, named=True)
    assert reading["start_at"] == datetime(2026, 11, 20, 5, tzinfo=UTC)
    assert reading["end_at"] == datetime(2026, 11, 21, 5, tzinfo=UTC)
    assert reading["register"] == "total"


def test_a_month_total_is_a_month_and_no_day_and_a_year_is_refused() -> None:
    found = _split({"from_date": "01-11-2026", "to_date": "01-12-2026", "to_time": "00:00:00"})
    assert found.accepted["granularity"].to_list() == ["P1M"]
    found = _split({"from_date": "01-01-2026", "to_date": "01-01-2027", "to_time": "00:00:00"})
    assert "granularity: is missing" in found.quarantined["reasons"][0]


def test_the_commonest_step_of_a_series_tells_its_granularity() -> None:
    jump = _interval(datetime(2026, 3, 29, 0, 45, tzinfo=UTC), 15)
    assert (jump["from_time"], jump["to_time"]) == ("01:45:00", "03:00:00")
    found = _split(_interval(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 15), jump)
    assert found.accepted["granularity"].to_list() == ["PT15M", "PT15M"]


@pytest.mark.parametrize(
    ("written", "direction", "register"),
    [
        ("Afname Nacht", "offtake", "night"),
        ("Injectie Dag", "injection", "day"),
        ("Offtake Day", "offtake", "day"),
        ("Injection Night", "injection", "night"),
        ("Afname", "offtake", "total"),
        ("Afname Actief", "offtake", "total"),
        ("Injectie Actief Dag", "injection", "day"),
        ("Productie Actief", "production", "total"),
        ("Afname Capacitief", "offtake", "capacitive"),
        ("AFNAME INDUCTIEF", "offtake", "inductive"),
        ("Productie Inductief", "production", "inductive"),
        ("Afname Actief Nacht", "offtake", "night"),
        ("Offtake Active Day", "offtake", "day"),
        ("Offtake Capacitive", "offtake", "capacitive"),
        ("auxiliary total", "auxiliary", "total"),
    ],
)
def test_a_register_tells_direction_and_rate(written: str, direction: str, register: str) -> None:
    reading = _split({"register": written}).accepted.row(0, named=True)
    assert (reading["direction"], reading["register"]) == (direction, register)


@pytest.mark.parametrize("written", ["Teruglevering Dag", "Afname Schemer", "register"])
def test_an_unknown_register_is_refused_not_skipped(written: str) -> None:
    assert "register: cannot be read" in _split({"register": written}).quarantined["reasons"][0]


@pytest.mark.parametrize(
    ("status", "quality"),
    [("Gevalideerd", "validated"), ("Geschat", "estimated"), ("Read", "read"), ("UITGELEZEN", "read")],
)
def test_a_status_tells_the_quality(status: str, quality: str) -> None:
    assert _split({"status": status}).accepted["quality"].to_list() == [quality]


@pytest.mark.parametrize("status", ["Geen verbruik", "No consumption", "Geen gegevens", "No data"])
def test_an_empty_volume_is_no_measurement_and_no_zero(status: str) -> None:
    reading = _split({"status": status, "volume": ""}).accepted.row(0, named=True)
    assert (reading["value"], reading["quality"]) == (None, "missing")


@pytest.mark.parametrize(("volume", "status"), [("", "Uitgelezen"), ("0,1", "Geen verbruik")])
def test_a_volume_that_contradicts_its_status_is_refused(volume: str, status: str) -> None:
    found = _split({"volume": volume, "status": status})
    assert "volume: is empty exactly when the status says that nothing was measured" in found.quarantined["reasons"][0]


def test_a_true_zero_is_kept() -> None:
    assert _split({"volume": "0,000"}).accepted["value"].to_list() == [0.0]


def test_within_a_delivery_a_value_wins_from_a_missing_one() -> None:
    found = _split({"volume": "", "status": "Geen gegevens"}, {"volume": "3,000"})
    assert found.accepted["value"].to_list() == [3.0]
    assert found.superseded == 1


@pytest.mark.parametrize("ean", ["5,41449E+17", '="54144880000000000"', "", None])
def test_an_ean_that_is_no_ean_is_refused(ean: str | None) -> None:
    assert _split({"ean": ean}).quarantined.height == 1


def test_gas_comes_in_two_units_that_are_not_each_others_duplicate() -> None:
    gas = {"register": "Afname", "carrier": "gas", "to_time": "01:00:00"}
    found = _split(
        gas | {"unit": "m³", "volume": "0,021"}, gas | {"unit": "kWh", "volume": "0,239", "gcv_state": "Definitief"}
    )
    assert dict(found.accepted.select("unit", "gcv_state").iter_rows()) == {"m3": None, "kWh": "definitive"}


def test_serial_spelling_aside_two_meters_on_one_ean_are_two_series() -> None:
    found = _split({"meter": "old"}, {"meter": "new"})
    assert found.accepted.height == 2


@pytest.mark.parametrize(
    ("ean", "is_right"), [("541448890000000117", True), ("541448890000000118", False), ("123456879123456789", False)]
)
def test_a_wrong_check_digit_is_a_remark_and_no_refusal(ean: str, *, is_right: bool) -> None:
    assert _split({"ean": ean}).accepted["has_check_digit"].to_list() == [is_right]


def test_more_than_a_cable_carries_in_a_quarter_is_refused_but_not_in_a_day() -> None:
    found = _split({"volume": "5000,001"})
    assert found.quarantined["reasons"].to_list() == [["volume: is above 5000 kWh in a quarter of an hour"]]
    assert _split({"volume": "5000,001", "to_date": "21-11-2026", "to_time": "00:00:00"}).accepted.height == 1


def test_within_a_delivery_the_better_measurement_wins_whatever_its_height() -> None:
    found = _split({"volume": "9", "status": "Geschat"}, {"volume": "3", "status": "Gevalideerd"})
    assert found.accepted.select("value", "quality").rows() == [(3.0, "validated")]


_NO_WALL_CLOCK = dict.fromkeys(("from_date", "from_time", "to_date", "to_time"))


def test_an_instant_of_the_api_goes_before_a_wall_clock() -> None:
    api = {"start_at": "2026-10-25T01:45:00Z", "granularity": "PT15M", "source": "fluvius_api", "status": "VAL"}
    (reading,) = _split(api | _NO_WALL_CLOCK).accepted.iter_rows(named=True)
    assert (reading["start_at"], reading["reading_date"]) == (
        datetime(2026, 10, 25, 1, 45, tzinfo=UTC),
        date(2026, 10, 25),
    )
    assert reading["end_at"] == datetime(2026, 10, 25, 2, tzinfo=UTC)
    assert (reading["quality"], reading["source"]) == ("validated", "fluvius_api")


def test_an_api_instant_that_cannot_be_read_is_refused() -> None:
    assert "start_at: cannot be read" in _split({"start_at": "gisteren"} | _NO_WALL_CLOCK).quarantined["reasons"][0]


def test_a_month_of_a_dwelling_runs_to_the_next_local_month() -> None:
    (month,) = _split({"granularity": "P1M", "from_date": "01-10-2026"}).accepted.iter_rows(named=True)
    assert month["end_at"] - month["start_at"] == timedelta(days=31, hours=1)


def test_every_rule_is_told_in_dutch_too() -> None:
    assert all(rule.reason_nl for rule in READINGS.rules)
