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


@pytest.mark.parametrize("table", _ROWS)
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
        ("connectors", {"power_type": "STEAM"}, "power_type: is none of AC_1_PHASE"),
        ("connectors", {"max_voltage": "0"}, "max_voltage: is below 1"),
        ("connectors", {"max_electric_power": "22"}, "max_electric_power: is below 1000"),
        ("connectors", {"max_amperage": "32.5"}, "max_amperage: cannot be read"),
    ],
)
def test_a_broken_promise_is_named(table: str, change: dict[str, str | None], reason: str) -> None:
    found = _split(table, {}, change)
    assert found.accepted.height == 1
    assert [said.startswith(reason) for said in found.quarantined["reasons"][0]].count(True) == 1


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


def test_of_two_records_of_one_evse_the_later_stays() -> None:
    earlier = {"last_updated": "2026-11-01T00:00:00Z", "status": "CHARGING"}
    for order in ([earlier, {}], [{}, earlier]):
        found = _split("evses", *order)
        assert found.accepted["status"].to_list() == ["AVAILABLE"]
        assert found.superseded == 1
