"""What a charge point must honour, and what it may leave out."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from contracts.gate import Split, split
from contracts.registry import city_named
from contracts.sources.charge_points import CONTRACT

_WHOSE = {"country_code": "be", "party_id": "abc", "location_id": "L1", "last_updated": "2026-11-22T23:30:00Z"}
_ROWS = {
    "locations": _WHOSE
    | {
        "publish": "true",
        "latitude": "50.8279",
        "longitude": "3.2649",
        "parking_type": "ON_STREET",
        "operator_name": "Stroom",
        "twentyfourseven": "true",
    },
    "charge_sessions_hourly": {name: value for name, value in _WHOSE.items() if name != "last_updated"}
    | {
        "evse_uid": "E1",
        "module": "cdrs",
        "hour_at": "2026-11-22T23:00:00+00:00",
        "energy_kwh": "12.5",
        "session_count": "1",
        "charged_minutes": "30",
    },
    "evses": _WHOSE | {"evse_uid": "E1", "evse_id": "BE*ABC*E1", "status": "available"},
    "connectors": _WHOSE
    | {
        "evse_uid": "E1",
        "connector_id": "1",
        "standard": "IEC_62196_T2",
        "power_type": "AC_3_PHASE",
        "max_voltage": "230",
        "max_amperage": "32",
        "max_electric_power": "22080",
    },
}


def _split(table: str, *changes: dict[str, str | None]) -> Split:
    contract = CONTRACT.table(table)
    schema = dict.fromkeys(contract.received.columns, pl.String)
    rows = pl.DataFrame([_ROWS[table] | change for change in changes], schema=schema)
    return split(rows.with_row_index("line", offset=1).cast({"line": pl.Int64}), contract, city_named("kortrijk"))


@pytest.mark.parametrize("table", ["locations", "evses", "connectors"])
def test_a_good_object_passes_with_its_party_in_capitals(table: str) -> None:
    row = _split(table, {}).accepted.row(0, named=True)
    assert (row["country_code"], row["party_id"]) == ("BE", "ABC")
    assert row["last_updated_at"] == datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    # half past midnight in the city
    assert row["last_updated_date"] == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("table", "change", "reason"),
    [
        ("locations", {"location_id": None}, "location_id: is missing"),
        ("locations", {"country_code": "BEL"}, "country_code: does not look like ^[A-Z]{2}$"),
        ("locations", {"latitude": "508.3"}, "latitude: is above 90"),
        ("locations", {"longitude": None}, "longitude: is missing"),
        ("locations", {"publish": "perhaps"}, "publish: cannot be read"),
        ("evses", {"evse_uid": ""}, "evse_uid: is missing"),
        ("evses", {"last_updated": "yesterday"}, "last_updated: cannot be read"),
        ("locations", {"latitude": "3.2649", "longitude": "50.8279"}, "latlon_swapped"),
        ("locations", {"hours_min_per_day": "25"}, "hours_min_per_day: is above 24"),
        ("evses", {"status": None}, "status: is missing"),
        ("charge_sessions_hourly", {"energy_kwh": "1000.5"}, "energy_kwh: is above 1000"),
        ("charge_sessions_hourly", {"energy_kwh": "-1"}, "energy_kwh: is below 0"),
        ("charge_sessions_hourly", {"module": "tokens"}, "module: is none of cdrs"),
        ("charge_sessions_hourly", {"charged_minutes": "75"}, "charged_minutes: is above 60"),
        ("connectors", {"power_type": "STEAM"}, "power_type: is none of AC_1_PHASE"),
        ("connectors", {"max_voltage": "0"}, "max_voltage: is below 1"),
        ("connectors", {"max_amperage": "32.5"}, "max_amperage: cannot be read"),
    ],
)
def test_a_broken_promise_is_named(table: str, change: dict[str, str | None], reason: str) -> None:
    found = _split(table, {}, change)
    assert found.accepted.height == 1
    assert [said.startswith(reason) for said in found.quarantined["reasons"][0]].count(True) == 1


@pytest.mark.parametrize(
    ("table", "change", "kept"),
    [
        ("evses", {"status": "ON_FIRE"}, {"status": "UNKNOWN"}),
        ("connectors", {"format": "HOSE"}, {"format": None}),
        ("connectors", {"max_electric_power": "22"}, {"max_electric_power_w": None, "max_voltage_v": 230}),
        ("connectors", {"max_electric_power": "22 kW"}, {"max_electric_power_w": None}),
        ("locations", {"twentyfourseven": "soms"}, {"is_open_24_7": None}),
    ],
)
def test_a_value_of_which_the_refusal_would_move_a_figure_is_replaced_and_counted(
    table: str, change: dict[str, str | None], kept: dict[str, object]
) -> None:
    found = _split(table, change)
    [row] = found.accepted.to_dicts()
    assert {name: row[name] for name in kept} == kept
    assert (found.noted, found.quarantined.height) == (1, 0)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("locations", {"publish": None, "parking_type": "HOVERCRAFT", "operator_name": None, "twentyfourseven": None}),
        ("evses", {"evse_id": None}),
        ("connectors", {"max_electric_power": None, "standard": "A_PLUG_TO_COME"}),
    ],
)
def test_what_the_protocol_leaves_open_is_accepted(table: str, change: dict[str, str | None]) -> None:
    assert _split(table, change).accepted.height == 1


def test_a_location_that_does_not_say_is_published() -> None:
    assert _split("locations", {"publish": None}).accepted["is_published"].to_list() == [True]


@pytest.mark.parametrize(
    ("table", "column", "sent", "read"),
    [
        ("locations", "parking_type", "along_motorway", "ALONG_MOTORWAY"),
        ("evses", "status", "Charging", "CHARGING"),
        ("evses", "parking_restrictions", "customers,EV_ONLY", "CUSTOMERS,EV_ONLY"),
        ("connectors", "power_type", "ac_3_phase", "AC_3_PHASE"),
        ("connectors", "format", "Cable", "CABLE"),
    ],
)
def test_a_word_of_the_protocol_is_the_same_in_any_case(table: str, column: str, sent: str, read: str) -> None:
    # what stands along a motorway, or is for customers only, weighs otherwise
    assert _split(table, {column: sent}).accepted[column].to_list() == [read]


def test_of_two_records_of_one_evse_the_later_stays() -> None:
    earlier = {"last_updated": "2026-11-01T00:00:00Z", "status": "CHARGING"}
    for order in ([earlier, {}], [{}, earlier]):
        found = _split("evses", *order)
        assert found.accepted["status"].to_list() == ["AVAILABLE"]
        assert found.superseded == 1


@pytest.mark.parametrize("written", ["2026-11-22T23:30:00Z", "2026-11-22T23:30:00", "2026-11-22T23:30:00.123+00:00"])
def test_a_moment_without_a_designator_is_utc(written: str) -> None:
    [moment] = _split("evses", {"last_updated": written}).accepted["last_updated_at"].to_list()
    assert moment.replace(microsecond=0) == datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


def test_a_location_without_coordinates_is_missing_them_and_not_swapped() -> None:
    [reasons] = _split("locations", {"latitude": None}).quarantined["reasons"]
    assert list(reasons) == ["latitude: is missing"]


def test_every_rule_speaks_dutch_to_the_operator() -> None:
    rules = [rule for table in CONTRACT.tables for rule in table.rules]
    assert rules
    assert all(rule.reason_nl for rule in rules)


def test_an_hour_of_charging_keeps_its_energy_and_its_city_date() -> None:
    row = _split("charge_sessions_hourly", {}).accepted.row(0, named=True)
    assert (row["energy_kwh"], row["session_count"], row["charge_date"]) == (12.5, 1, date(2026, 11, 23))


def test_a_crawl_says_what_it_held() -> None:
    contract = CONTRACT.table("crawls")
    row = {
        "started_at": "2026-11-22T23:30:00+00:00",
        "ended_at": "2026-11-22T23:31:00+00:00",
        "is_full": "true",
        "location_count": "3",
        "evse_count": "7",
        "sessions_from": "2026-10-23",
        "line": 1,
    }
    accepted = split(pl.DataFrame([row]), contract, city_named("kortrijk")).accepted.row(0, named=True)
    assert (accepted["is_full"], accepted["evse_count"], accepted["crawl_date"]) == (True, 7, date(2026, 11, 23))
    assert (accepted["sessions_from_date"], accepted["sessions_to_date"]) == (date(2026, 10, 23), None)


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, []),
        ({"is_full": "false", "location_count": None, "evse_count": None}, []),
        (
            {"evse_count": None},
            ["uncounted_full_crawl: a full crawl does not say how many locations and EVSEs it named"],
        ),
        (
            {"location_count": None},
            ["uncounted_full_crawl: a full crawl does not say how many locations and EVSEs it named"],
        ),
        ({"is_full": None, "evse_count": None}, ["is_full: is missing"]),
    ],
    ids=["counted", "only the changes", "no EVSEs", "no locations", "nobody knows which"],
)
def test_only_a_crawl_of_changes_may_leave_out_its_counts(change: dict[str, str | None], reasons: list[str]) -> None:
    row = {
        "started_at": "2026-11-22T23:30:00+00:00",
        "ended_at": "2026-11-22T23:31:00+00:00",
        "is_full": "true",
        "location_count": "0",
        "evse_count": "0",
        "line": 1,
    }
    contract = CONTRACT.table("crawls")
    text = dict.fromkeys(contract.received.columns, pl.String)
    found = split(pl.DataFrame([row | change], schema={**text, "line": pl.Int64}), contract, city_named("kortrijk"))
    assert [list(why) for why in found.quarantined["reasons"]] == ([reasons] if reasons else [])
    assert found.accepted.height == (not reasons)
