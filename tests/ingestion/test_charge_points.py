"""OCPI objects become rows, the broken ones too."""

import json
import time
from pathlib import Path

import pytest

from contracts.gate import split
from contracts.registry import city_named
from contracts.sources.charge_points import CONTRACT
from ingestion.sources.charge_points import flatten

_CONNECTOR = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "power_type": "AC_3_PHASE",
    "max_voltage": 400,
    "max_amperage": 32,
    "max_electric_power": 22000.0,
}
_EVSE = {
    "uid": "E1",
    "evse_id": "BE*ABC*E1",
    "status": "AVAILABLE",
    "last_updated": "2026-11-20T10:00:00Z",
    "connectors": [_CONNECTOR],
}
_LOCATION = {
    "country_code": "BE",
    "party_id": "ABC",
    "id": "L1",
    "publish": True,
    "coordinates": {"latitude": "50.8279", "longitude": "3.2649"},
    "operator": {"name": "Stroom"},
    "opening_times": {"twentyfourseven": False},
    "parking_type": "ON_STREET",
    "last_updated": "2026-11-20T10:00:00Z",
    "name": "not in any contract",
    "evses": [_EVSE],
}


def test_a_location_becomes_three_tables_of_text() -> None:
    tables = flatten([_LOCATION])
    location, evse, connector = (tables[name].row(0, named=True) for name in ("locations", "evses", "connectors"))
    assert location["location_id"] == "L1"
    assert (location["publish"], location["twentyfourseven"]) == ("true", "false")
    assert (location["latitude"], location["longitude"]) == ("50.8279", "3.2649")
    assert location["operator_name"] == "Stroom"
    assert (evse["country_code"], evse["party_id"], evse["location_id"], evse["evse_uid"]) == ("BE", "ABC", "L1", "E1")
    assert (connector["location_id"], connector["evse_uid"], connector["connector_id"]) == ("L1", "E1", "1")
    assert connector["max_electric_power"] == "22000"


def test_a_connector_without_its_own_time_takes_that_of_its_evse() -> None:
    own = _CONNECTOR | {"id": "2", "last_updated": "2026-11-21T00:00:00Z"}
    connectors = flatten([_LOCATION | {"evses": [_EVSE | {"connectors": [_CONNECTOR, own]}]}])["connectors"]
    assert connectors["last_updated"].to_list() == ["2026-11-20T10:00:00Z", "2026-11-21T00:00:00Z"]


@pytest.mark.parametrize("table", ["locations", "evses", "connectors"])
def test_the_columns_are_those_of_the_contract(table: str) -> None:
    columns = flatten([])[table].columns
    assert columns == ["line", *CONTRACT.table(table).received.columns]


@pytest.mark.parametrize(
    ("sent", "locations", "evses", "connectors"),
    [
        ("text", 1, 0, 0),
        (None, 1, 0, 0),
        ({}, 1, 0, 0),
        (_LOCATION | {"evses": None}, 1, 0, 0),
        (_LOCATION | {"evses": {"uid": "E1"}}, 1, 1, 0),
        (_LOCATION | {"evses": [7, None, _EVSE]}, 1, 3, 1),
        (_LOCATION | {"evses": [_EVSE | {"connectors": ["x", _CONNECTOR]}]}, 1, 1, 2),
        (_LOCATION | {"coordinates": "50.8,3.2", "operator": [], "opening_times": 1}, 1, 1, 1),
    ],
)
def test_a_broken_object_is_still_a_row(sent: object, locations: int, evses: int, connectors: int) -> None:
    tables = flatten([sent])
    assert [tables[name].height for name in ("locations", "evses", "connectors")] == [locations, evses, connectors]


def test_the_gate_keeps_the_good_evse_beside_the_broken_one() -> None:
    tables = flatten([_LOCATION | {"evses": [7, _EVSE, _EVSE | {"uid": "E2", "status": "ON FIRE"}]}, "no location"])
    city = city_named("kortrijk")
    evses = split(tables["evses"], CONTRACT.table("evses"), city)
    assert evses.accepted["evse_uid"].to_list() == ["E1"]
    assert evses.quarantined["line"].to_list() == [1, 3]
    assert split(tables["locations"], CONTRACT.table("locations"), city).quarantined["line"].to_list() == [2]


@pytest.mark.parametrize(("town", "locations", "evses"), [("roosendaal", 287, 754), ("terneuzen", 80, 208)])
def test_real_feeds_pass_whole_and_fast(real_data: Path, town: str, locations: int, evses: int) -> None:
    found = real_data / "charge_points" / town / f"{town}.2026-06-07.ocpi_locations.json"
    objects = json.loads(found.read_bytes())
    started = time.monotonic()
    tables = flatten(objects)
    assert time.monotonic() - started < 1
    assert (tables["locations"].height, tables["evses"].height) == (locations, evses)
    for name, frame in tables.items():
        assert split(frame, CONTRACT.table(name), city_named(town)).quarantined.height == 0
