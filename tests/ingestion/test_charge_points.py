"""OCPI objects become rows, the broken ones too."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from contracts.gate import split
from contracts.registry import city_named
from contracts.sources.charge_points import CONTRACT
from ingestion.areas import MUNICIPALITY, SECTOR, Areas
from ingestion.charge_point_rows import flatten
from ingestion.delivery import Context
from ingestion.sources.charge_points import SOURCE
from tests.ingestion.asking import endpoint_of

_NewSupplier = Callable[[Callable[..., Any]], Any]
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


@pytest.mark.parametrize(("sent", "read"), [(0, None), (0.0, None), ("0", None), (900, "900"), (None, None)])
def test_a_power_of_nothing_is_no_power_said(sent: object, read: str | None) -> None:
    evse = _EVSE | {"connectors": [_CONNECTOR | {"max_electric_power": sent}]}
    assert flatten([_LOCATION | {"evses": [evse]}])["connectors"]["max_electric_power"].to_list() == [read]


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
    tables = flatten([_LOCATION | {"evses": [7, _EVSE, _EVSE | {"uid": "E2", "status": None}]}, "no location"])
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


# --- what stays outside, and where a point lies -----------------------------------------------------------------


def _pulled(new_supplier: _NewSupplier, *sent: object, areas: Areas | None = None, memory: object = None) -> Any:  # noqa: ANN401 - a Delivery
    body = json.dumps({"data": list(sent), "status_code": 1000, "timestamp": "2026-11-23T05:59:58Z"}).encode()
    supplier = new_supplier(lambda *_: (200, {}, body))
    return SOURCE.fetch(
        endpoint_of(SOURCE, supplier.url), Context(city_named("kortrijk"), memory=memory or {}, areas=lambda: areas)
    )


@pytest.mark.parametrize(
    ("private", "words"),
    [
        ({"publish": False}, "publish = false"),
        ({"publish": "False"}, "publish"),
        ({"publish": "nee"}, "publish"),
        ({"parking_type": "ON_DRIVEWAY"}, "oprit"),
        ({"parking_type": " on_driveway"}, "oprit"),
    ],
)
def test_a_private_post_is_counted_and_nothing_of_it_comes_in(
    new_supplier: _NewSupplier, private: dict[str, object], words: str
) -> None:
    home = _LOCATION | {"id": "HOME-OF-SOMEBODY", "evses": [_EVSE | {"uid": "H1"}]} | private
    delivery = _pulled(new_supplier, _LOCATION, home)
    assert "HOME-OF-SOMEBODY" not in json.dumps([frame.to_dicts() for frame in delivery.tables.values()])
    # its location, its EVSE and its connector
    [(reason, rows)] = delivery.withheld.items()
    assert words in reason
    assert rows == 3


@pytest.mark.parametrize("open_to_all", [{}, {"publish": True}, {"publish": None}, {"parking_type": None}])
def test_what_is_not_said_to_be_private_comes_in(new_supplier: _NewSupplier, open_to_all: dict[str, object]) -> None:
    location = {name: value for name, value in _LOCATION.items() if name != "publish"} | open_to_all
    delivery = _pulled(new_supplier, location)
    assert (delivery.tables["locations"].height, delivery.withheld) == (1, {})


def test_a_post_that_becomes_private_is_no_longer_missed(new_supplier: _NewSupplier) -> None:
    memory = _pulled(new_supplier, _LOCATION).memory
    assert len(memory["evse_digests"]) == 1
    after = _pulled(new_supplier, _LOCATION | {"publish": False}, memory=memory)
    assert after.memory["evse_digests"] == []


@pytest.mark.parametrize("private", [{"publish": False}, {"parking_type": "ON_DRIVEWAY"}])
def test_a_post_that_turns_private_leaves_the_stock_at_once(
    new_supplier: _NewSupplier, private: dict[str, object]
) -> None:
    never_public = _LOCATION | private | {"id": "other"}
    memory = _pulled(new_supplier, _LOCATION).memory
    after = _pulled(new_supplier, _LOCATION | private, never_public, memory=memory)
    before = _pulled(new_supplier, _LOCATION).tables["evses"].row(0, named=True)
    told = before | {"status": "REMOVED", "parking_restrictions": None}
    assert after.tables["evses"].rows(named=True) == [told]
    assert after.tables["crawls"].select("is_full", "location_count", "evse_count").rows() == [("false", "0", "1")]
    assert sum(after.withheld.values()) > 0
    assert [after.tables[name].height for name in ("locations", "connectors")] == [0, 0]
    again = _pulled(new_supplier, _LOCATION | private, memory=after.memory)
    assert again.tables["evses"].is_empty(), "it is told once"


def _town() -> Areas:
    box = [(3.2, 50.8), (3.3, 50.8), (3.3, 50.9), (3.2, 50.9)]
    neighbour = [(3.3, 50.8), (3.4, 50.8), (3.4, 50.9), (3.3, 50.9)]
    return Areas({MUNICIPALITY: {"34022": (box,), "34023": (neighbour,)}, SECTOR: {"34022A00-": (box,)}})


def _at(longitude: str | None, latitude: str | None, **more: object) -> dict[str, object]:
    return _LOCATION | {"coordinates": {"longitude": longitude, "latitude": latitude}} | more


def test_the_municipality_is_where_the_point_lies_and_not_what_the_address_says(new_supplier: _NewSupplier) -> None:
    locations = [
        _at("3.25", "50.85", id="in", city="Kuurne"),
        _at("3.35", "50.85", id="next door", city="Kortrijk"),
        _at("9.99", "50.85", id="nowhere", city="Kortrijk"),
        _at(None, None, id="unknown", city="Kortrijk"),
    ]
    found = _pulled(new_supplier, *locations, areas=_town()).tables["locations"]
    assert found.select("location_id", "municipality_id", "sector_id", "is_in_municipality").rows() == [
        ("in", "34022", "34022A00-", "true"),
        ("next door", "34023", None, "false"),
        ("nowhere", None, None, "false"),
        ("unknown", None, None, None),
    ]


def test_without_boundaries_nobody_says_where_a_point_lies(new_supplier: _NewSupplier) -> None:
    row = _pulled(new_supplier, _LOCATION).tables["locations"].row(0, named=True)
    assert (row["municipality_id"], row["sector_id"], row["is_in_municipality"]) == (None, None, None)


def test_boundaries_that_came_later_make_the_next_pull_a_full_one(new_supplier: _NewSupplier) -> None:
    memory = _pulled(new_supplier, _LOCATION).memory
    assert _pulled(new_supplier, _LOCATION, memory=memory).tables["crawls"]["is_full"].to_list() == ["false"]
    bounded = _pulled(new_supplier, _LOCATION, memory=memory, areas=_town())
    assert bounded.tables["crawls"]["is_full"].to_list() == ["true"]


def test_hours_restrictions_and_format_come_along() -> None:
    hours = [{"weekday": day, "period_begin": "08:00", "period_end": "20:00"} for day in range(1, 8)]
    evse = _EVSE | {"parking_restrictions": ["EV_ONLY", "CUSTOMERS"], "connectors": [_CONNECTOR | {"format": "CABLE"}]}
    sent = _LOCATION | {"opening_times": {"twentyfourseven": False, "regular_hours": hours}, "evses": [evse]}
    tables = flatten([sent])
    assert tables["locations"]["hours_min_per_day"].to_list() == ["12"]
    assert tables["evses"]["parking_restrictions"].to_list() == ["CUSTOMERS,EV_ONLY"]
    assert tables["connectors"]["format"].to_list() == ["CABLE"]
    assert flatten([_LOCATION])["evses"]["parking_restrictions"].to_list() == [None]


@pytest.mark.parametrize(("town", "changed", "newer", "vanished"), [("roosendaal", 2, 14, 2), ("terneuzen", 3, 19, 0)])
def test_two_real_versions_show_why_the_moment_of_a_location_is_no_watermark(
    real_data: Path, town: str, changed: int, newer: int, vanished: int
) -> None:
    older, later = (_dump(real_data, town, day) for day in (2, 7))
    keys = ["country_code", "party_id", "location_id"]
    same = older["locations"].join(later["locations"], on=[*keys, "last_updated"]).select(keys)
    inside = [frame["evses"].join(same, on=keys, how="semi").drop("line") for frame in (older, later)]
    differing = inside[0].join(inside[1], on=inside[0].columns, how="anti", nulls_equal=True).select(keys).unique()
    assert differing.height == changed
    moments = later["evses"].join(later["locations"], on=keys, suffix="_of_location")
    assert moments.filter(pl.col("last_updated") > pl.col("last_updated_of_location")).height == newer
    assert older["evses"].join(later["evses"], on=[*keys, "evse_uid"], how="anti").height == vanished


def _dump(real_data: Path, town: str, day: int) -> dict[str, pl.DataFrame]:
    found = real_data / "charge_points" / town / f"{town}.2026-06-{day:02}.ocpi_locations.json"
    return flatten(json.loads(found.read_bytes()))
