"""Which meter readings may come in, and what of a dwelling."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.cities.profile import City
from contracts.gate import split
from contracts.registry import city_named
from contracts.sources.energy_meters import READINGS
from ingestion.delivery import Context
from ingestion.registered_meters import IN_MONTHS, NOT_THAT_DAY, NOT_WHOLE, UNKNOWN, Register, RegisterMissingError

HALL, HOME, STRANGER = (f"54144889000000{number}" for number in ("0117", "0711", "0919"))
AT = datetime(2026, 11, 1, tzinfo=UTC)
_SCHEMA = {
    "ean": pl.String,
    "is_dwelling": pl.Boolean,
    "valid_from_date": pl.Date,
    "valid_to_date": pl.Date,
    "supplied_at": pl.Datetime("us", "UTC"),
    "content_sha256": pl.String,
}
_Row = Mapping[str, str | None]


def _connection(
    ean: str, *, home: bool = False, first: date = date(2019, 1, 1), last: date | None = None
) -> dict[str, object]:
    return {
        "ean": ean,
        "is_dwelling": home,
        "valid_from_date": first,
        "valid_to_date": last,
        "supplied_at": AT,
        "content_sha256": "a",
    }


def _context(connections: Sequence[Mapping[str, object]]) -> Context:
    return Context(city_named("kortrijk"), rows=lambda *_: pl.DataFrame(list(connections), schema=_SCHEMA))


def _day(ean: str, day: date, register: str = "Afname", **more: str | None) -> dict[str, str | None]:
    return {
        "from_date": day.strftime("%d-%m-%Y"),
        "from_time": "00:00:00",
        "to_date": (day + timedelta(days=1)).strftime("%d-%m-%Y"),
        "to_time": "00:00:00",
        "ean": f'="{ean}"',
        "meter": "1SAG-secret",
        "register": register,
        "volume": "2,5",
        "unit": "kWh",
        "status": "Uitgelezen",
        "carrier": "electricity",
        "source": "fluvius_csv",
        **more,
    }


def _days(first: date, count: int, register: str = "Afname", **more: str | None) -> list[dict[str, str | None]]:
    return [_day(HOME, first + timedelta(days=number), register, **more) for number in range(count)]


def _frame(rows: Sequence[_Row]) -> pl.DataFrame:
    schema = dict.fromkeys(sorted({column for row in rows for column in row}), pl.String)
    return pl.DataFrame(list(rows), schema=schema).with_row_index("line", offset=2).cast({"line": pl.Int64})


_USUAL = [_connection(HALL), _connection(HOME, home=True)]


def _admitted(
    rows: Sequence[_Row], connections: Sequence[Mapping[str, object]] = _USUAL
) -> tuple[pl.DataFrame, dict[str, int]]:
    return Register.of(_context(connections)).admit(_frame(rows), city_named("kortrijk"))


def _months(rows: Sequence[_Row]) -> tuple[pl.DataFrame, dict[str, int]]:
    admitted, withheld = _admitted(rows)
    return split(admitted, READINGS, city_named("kortrijk")).accepted, withheld


def test_a_meter_outside_the_register_is_only_counted() -> None:
    rows, withheld = _admitted([_day(STRANGER, date(2026, 1, 1)), _day(HALL, date(2026, 1, 1))])
    assert rows["ean"].to_list() == [f'="{HALL}"']
    assert withheld == {UNKNOWN: 1}


def test_a_day_on_which_the_meter_was_not_the_citys_is_only_counted() -> None:
    lent = [_connection(HALL, first=date(2026, 1, 2), last=date(2026, 1, 3))]
    rows, withheld = _admitted([_day(HALL, date(2026, 1, day)) for day in (1, 2, 3, 4)], lent)
    assert rows["from_date"].to_list() == ["02-01-2026", "03-01-2026"]
    assert withheld == {NOT_THAT_DAY: 2}


def test_lines_keep_their_numbers_and_unknown_columns() -> None:
    rows, _ = _admitted([_day(STRANGER, date(2026, 1, 1)), _day(HALL, date(2026, 1, 1), Contact="Jan")])
    assert rows["line"].to_list() == [3]
    assert rows["Contact"].to_list() == ["Jan"]


@pytest.mark.parametrize("ean", ["5,41449E+17", "5414", None, "", "54144889000000011x"])
def test_an_unreadable_ean_stays_for_its_sender_without_the_serial_number(ean: str | None) -> None:
    rows, withheld = _admitted([_day(HALL, date(2026, 1, 1)) | {"ean": ean}])
    assert rows["meter"].to_list() == [None]
    assert rows["volume"].to_list() == ["2,5"]
    assert withheld == {}


def test_of_a_dwelling_only_the_total_of_a_whole_month_is_kept() -> None:
    months, withheld = _months(_days(date(2026, 1, 1), 31 + 10))
    (month,) = months.iter_rows(named=True)
    assert (month["granularity"], month["reading_date"], month["value"]) == ("P1M", date(2026, 1, 1), 77.5)
    assert month["end_at"] == datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert (month["meter_id"], month["quality"], month["source"]) == ("", "read", "fluvius_csv")
    assert withheld == {IN_MONTHS: 31, NOT_WHOLE: 10}


def test_nothing_of_a_half_month_of_a_dwelling_is_written() -> None:
    rows, withheld = _admitted(_days(date(2026, 1, 1), 30))
    assert rows.height == 0
    assert withheld == {NOT_WHOLE: 30}


def test_a_month_with_a_day_that_was_not_measured_is_not_whole() -> None:
    days = _days(date(2026, 1, 1), 31)
    days[7] |= {"volume": "", "status": "Geen verbruik"}
    assert _admitted(days)[1] == {NOT_WHOLE: 31}


def test_day_and_night_of_a_dwelling_are_one_total_and_a_total_is_not_added_to_them() -> None:
    split_rows = _days(date(2026, 1, 1), 31, "Afname Dag") + _days(date(2026, 1, 1), 31, "Afname Nacht")
    assert _months(split_rows)[0]["value"].to_list() == [155]
    months, withheld = _months([*split_rows, *_days(date(2026, 1, 1), 31, "Afname", volume="4")])
    assert months["value"].to_list() == [124]
    assert withheld == {IN_MONTHS: 31, NOT_WHOLE: 62}


def test_injection_and_offtake_of_a_dwelling_are_two_totals_and_reactive_energy_none() -> None:
    rows = [
        row
        for register in ("Afname", "Injectie", "Afname Reactief")
        for row in _days(date(2026, 1, 1), 31, register, unit="kVArh" if "Reactief" in register else "kWh")
    ]
    assert _months(rows)[0]["direction"].to_list() == ["injection", "offtake"]


def test_the_least_certain_day_makes_the_quality_of_a_month() -> None:
    days = _days(date(2026, 1, 1), 31, status="Gevalideerd")
    days[3]["status"] = "Geschat"
    assert _months(days)[0]["quality"].to_list() == ["estimated"]


def test_gas_of_a_dwelling_keeps_both_units_and_whether_its_factor_is_final() -> None:
    kwh = _days(date(2026, 1, 1), 31, carrier="gas", gcv_state="Definitief")
    kwh[30]["gcv_state"] = "Voorlopig"
    months = _months([*kwh, *_days(date(2026, 1, 1), 31, carrier="gas", unit="m³")])[0]
    assert sorted(months.select("unit", "gcv_state").iter_rows()) == [("kWh", "provisional"), ("m3", None)]


def _quarters(day: date, count: int) -> list[dict[str, str | None]]:
    rows = []
    for place in range(count):
        start = datetime(day.year, day.month, day.day) + timedelta(minutes=15 * place)  # noqa: DTZ001 - wall clock
        end = start + timedelta(minutes=15)
        times = {"from_date": f"{start:%d-%m-%Y}", "from_time": f"{start:%H:%M:%S}"}
        rows.append(
            _day(HOME, day) | times | {"to_date": f"{end:%d-%m-%Y}", "to_time": f"{end:%H:%M:%S}", "volume": "0,1"}
        )
    return rows


def test_quarters_of_a_dwelling_count_before_its_days_and_are_never_added_to_them() -> None:
    months, withheld = _months(
        [*_quarters(date(2026, 1, 1), 31 * 96), *[row | {"part": "2"} for row in _days(date(2026, 1, 1), 31)]]
    )
    assert months["value"].to_list() == [297.6]
    assert withheld == {IN_MONTHS: 31 * 96, NOT_WHOLE: 31}


def test_a_bad_row_of_a_dwelling_is_not_even_quarantined() -> None:
    rows, withheld = _admitted(
        [_day(HOME, date(2026, 1, 1), volume="-3"), _day(HOME, date(2026, 1, 1), from_date="geen")]
    )
    assert rows.height == 0
    assert withheld == {NOT_WHOLE: 2}


def test_a_building_that_became_a_dwelling_is_one_from_that_day() -> None:
    moved = [_connection(HOME, last=date(2026, 1, 15)), _connection(HOME, home=True, first=date(2026, 1, 16))]
    rows, withheld = _admitted(_days(date(2026, 1, 1), 31), moved)
    assert rows.height == 15
    assert withheld == {NOT_WHOLE: 16}


def test_the_newest_register_decides() -> None:
    newer = {**_connection(STRANGER), "supplied_at": AT + timedelta(days=1), "content_sha256": "b"}
    register = Register.of(_context([*_USUAL, newer]))
    assert register.eans() == {STRANGER: False}


@pytest.mark.parametrize("connections", [[], [_connection("")]])
def test_without_an_access_point_in_the_register_everything_waits(connections: list[dict[str, object]]) -> None:
    with pytest.raises(RegisterMissingError, match="drop the register of buildings first"):
        Register.of(_context(connections))


def test_without_any_register_everything_waits(kortrijk: City) -> None:
    with pytest.raises(RegisterMissingError, match="asked again later"):
        Register.of(Context(kortrijk))


_EANS = st.sampled_from([HALL, HOME, STRANGER, "5,41E+17", "", None])
_DATES = st.sampled_from(["01-01-2026", "31-01-2026", "29-03-2026", "25-10-2026", "geen", "", None])
_TEXTS = st.sampled_from(["0,1", "-1", "", None, "kWh", "Afname Dag", "Geen verbruik", "Uitgelezen", "x"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(_EANS, _DATES, _TEXTS, _TEXTS, _TEXTS), max_size=8))
def test_any_rows_are_let_in_or_counted_and_no_detail_of_a_dwelling_comes_in(
    cells: list[tuple[str | None, str | None, str | None, str | None, str | None]],
) -> None:
    rows = [
        _day(HALL, date(2026, 1, 1))
        | {"ean": ean, "from_date": day, "volume": volume, "register": register, "status": status}
        for ean, day, volume, register, status in cells
    ]
    admitted, withheld = _admitted([*rows, _day(HALL, date(2026, 1, 1))])
    months = admitted.filter(pl.col("granularity") == "P1M").height
    assert admitted.height - months + sum(withheld.values()) == len(rows) + 1
    assert not admitted.filter(pl.col("granularity").is_null())["ean"].is_in([HOME, STRANGER]).any()
