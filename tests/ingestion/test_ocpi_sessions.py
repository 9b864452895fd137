"""Sessions and CDRs come in as energy per EVSE and hour, and nothing else of them comes in."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.registry import all_contracts
from ingestion.charge_sessions import session_row
from ingestion.delivery import Context
from ingestion.protocols.ocpi_sessions import (
    IMPOSSIBLE_ENERGY,
    LONE_CREDIT,
    UNKNOWN_STATUS,
    UNREADABLE,
    Refused,
    by_hour,
    credit_notes,
)
from ingestion.sources import charge_points
from tests.ingestion.asking import endpoint_of

_NewSupplier = Callable[[Callable[..., Any]], Any]
_CLOCK = datetime(2026, 11, 23, 6, tzinfo=UTC)


def _cdr(number: int, begin: str, end: str, kwh: float = 10.0, **more: object) -> dict[str, Any]:
    return {
        "country_code": "BE",
        "party_id": "ABC",
        "id": f"C{number}",
        "start_date_time": begin,
        "end_date_time": end,
        "cdr_token": {"uid": "TOKEN-04A2", "contract_id": "BE-ABC-C00000001-X"},
        "cdr_location": {
            "id": "L1",
            "evse_uid": "E1",
            "coordinates": {"latitude": "50.8279", "longitude": "3.2649"},
        },
        "total_energy": kwh,
        "last_updated": end,
    } | more


def _session(number: int, status: str, **more: object) -> dict[str, Any]:
    return {
        "country_code": "be",
        "party_id": "abc",
        "id": f"S{number}",
        "start_date_time": "2026-11-20T10:00:00Z",
        "end_date_time": "2026-11-20T11:00:00Z",
        "kwh": 7,
        "location_id": "L1",
        "evse_uid": "E1",
        "status": status,
        "last_updated": "2026-11-20T11:00:00Z",
    } | more


def _hours(module: str, *sent: object) -> tuple[dict[str, tuple[float, int]], list[str]]:
    """Energy and number per hour, and why the rest was refused."""
    refused: list[Refused] = []
    found = by_hour(module, sent, refused)
    hours = {f"{key.hour_at:%d %H}": (round(each.energy_kwh, 6), each.session_count) for key, each in found.items()}
    return hours, [each.reason for each in refused]


def test_energy_is_spread_over_the_time_it_was_charged_and_counted_where_it_began() -> None:
    hours, _ = _hours("cdrs", _cdr(1, "2026-11-20T22:30:00Z", "2026-11-21T00:30:00Z", 12))
    assert hours == {"20 22": (3, 1), "20 23": (6, 0), "21 00": (3, 0)}


def test_a_car_that_stays_after_charging_takes_no_energy() -> None:
    hours, _ = _hours("cdrs", _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T20:00:00Z", 8, total_parking_time=9))
    assert hours == {"20 10": (8, 1)}


def test_a_session_of_no_time_at_all_keeps_its_energy() -> None:
    assert _hours("cdrs", _cdr(1, "2026-11-20T10:59:00", "2026-11-20T10:59:00Z", 2))[0] == {"20 10": (2, 1)}


def test_the_same_cdr_on_two_pages_counts_once() -> None:
    cdr = _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")
    assert _hours("cdrs", cdr, cdr)[0] == {"20 10": (10, 1)}


def test_a_credit_note_takes_its_cdr_away_and_the_new_one_stays() -> None:
    wrong = _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", 100)
    credit = wrong | {"id": "C2", "credit": True, "credit_reference_id": "C1", "total_energy": -100}
    right = wrong | {"id": "C3", "total_energy": 10}
    for order in ([wrong, credit, right], [right, credit, wrong]):
        assert _hours("cdrs", *order) == ({"20 10": (10, 1)}, [])


def test_a_credit_note_alone_adds_nothing_and_is_told() -> None:
    credit = _cdr(2, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", credit=True, credit_reference_id="C1")
    assert _hours("cdrs", credit) == ({}, [LONE_CREDIT])


def test_credit_notes_that_name_no_cdr_are_each_told_and_take_nothing_away() -> None:
    cdr = _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")
    notes = [cdr | {"id": f"C{number}", "credit": True, "credit_reference_id": ""} for number in (2, 3)]
    assert _hours("cdrs", cdr, *notes) == ({"20 10": (10, 1)}, [LONE_CREDIT, LONE_CREDIT])


def test_a_credit_note_tells_when_the_cdr_began_that_it_takes_away() -> None:
    cdr = _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")
    note = cdr | {"credit": True}
    named = [
        note | {"id": "C2", "credit_reference_id": "C1"},
        note | {"id": "C3", "credit_reference_id": "c1", "start_date_time": "2026-11-19T10:00:00Z"},
    ]
    nameless = note | {"id": "C4", "start_date_time": "9999-12-31T23:30:00Z"}
    silent = note | {"id": "C5", "start_date_time": None}
    assert credit_notes([cdr, *named, nameless, silent]) == {
        ("be", "abc", "c1"): datetime(2026, 11, 19, 10, tzinfo=UTC),
        ("be", "abc", "c4"): datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"total_energy": -0.1}, IMPOSSIBLE_ENERGY),
        ({"total_energy": 1000.1}, IMPOSSIBLE_ENERGY),
        ({"total_energy": "10"}, IMPOSSIBLE_ENERGY),
        ({"total_energy": None}, IMPOSSIBLE_ENERGY),
        ({"start_date_time": "today"}, UNREADABLE),
        ({"end_date_time": None}, UNREADABLE),
        ({"end_date_time": "2027-11-20T09:59:59Z"}, UNREADABLE),
        ({"cdr_location": {"id": "L1"}}, UNREADABLE),
        ({"cdr_location": "L1"}, UNREADABLE),
        ({"party_id": None}, UNREADABLE),
    ],
)
def test_a_session_that_cannot_be_is_not_let_in_and_told(change: dict[str, object], reason: str) -> None:
    good = _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")
    hours, refused = _hours("cdrs", good, _cdr(2, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z") | change)
    assert (hours, refused) == ({"20 10": (10, 1)}, [reason])


@pytest.mark.parametrize("end", ["2026-11-20T09:59:59Z", "2026-11-18T10:00:00Z"])
def test_a_session_that_ended_before_it_began_lasted_no_time_and_keeps_its_energy(end: str) -> None:
    hours, refused = _hours("cdrs", _cdr(1, "2026-11-20T10:00:00Z", end))
    assert (hours, refused) == ({"20 10": (10, 1)}, [])


def test_what_is_no_object_is_told_too() -> None:
    assert _hours("cdrs", 7, None) == ({}, [UNREADABLE, UNREADABLE])


def test_only_a_completed_session_says_what_was_charged() -> None:
    sent = [_session(number, status) for number, status in enumerate(["ACTIVE", "COMPLETED", "INVALID", "PENDING"])]
    assert _hours("sessions", *sent) == ({"20 10": (7, 1)}, [])


@pytest.mark.parametrize("status", ["DONE", "", None, 7])
def test_a_session_in_a_state_that_ocpi_does_not_know_says_nothing_and_is_told(status: object) -> None:
    strange = _session(2, "COMPLETED") | {"status": status}
    assert _hours("sessions", _session(1, "completed"), strange) == ({"20 10": (7, 1)}, [UNKNOWN_STATUS])


def test_a_session_counts_as_it_was_last_changed() -> None:
    running = _session(1, "ACTIVE", kwh=3, last_updated="2026-11-20T10:30:00Z")
    assert _hours("sessions", _session(1, "COMPLETED"), running)[0] == {"20 10": (7, 1)}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-11-20T11:00:00Z", "2026-11-20T11:00:00.500Z"),
        ("2026-11-20T11:00:00Z", "2026-11-20T11:00:01"),
        ("2026-11-20T12:00:00+01:00", "2026-11-20T11:30:00Z"),
        ("when it ended", "2026-11-20T11:00:00Z"),
    ],
)
def test_which_of_two_is_later_is_a_matter_of_moments_and_not_of_letters(earlier: str, later: str) -> None:
    old, new = _session(1, "COMPLETED", kwh=3, last_updated=earlier), _session(1, "COMPLETED", last_updated=later)
    assert _hours("sessions", new, old)[0] == _hours("sessions", old, new)[0] == {"20 10": (7, 1)}


@pytest.mark.parametrize(
    ("begin", "end", "minutes"),
    [
        ("10:00", "10:10", [15]),
        ("10:20", "10:40", [30]),
        ("10:05", "10:20", [15]),
        ("10:50", "12:01", [15, 60, 15]),
        ("10:00", "10:00", [15]),
    ],
)
def test_the_time_of_charging_is_kept_in_quarters_of_an_hour(begin: str, end: str, minutes: list[int]) -> None:
    cdr = _cdr(1, f"2026-11-20T{begin}:00Z", f"2026-11-20T{end}:00Z")
    assert [each.quarters * 15 for each in by_hour("cdrs", [cdr], []).values()] == minutes


def test_two_sessions_in_one_hour_charge_longer_but_no_longer_than_the_hour() -> None:
    first, second = (
        _cdr(number, f"2026-11-20T10:{begin}:00Z", f"2026-11-20T10:{end}:00Z")
        for number, begin, end in ((1, "00", "20"), (2, "30", "55"))
    )
    assert [each.quarters for each in by_hour("cdrs", [first, second], []).values()] == [3]
    overlapping = [_cdr(number, "2026-11-20T10:00:00Z", "2026-11-20T10:50:00Z") for number in range(3)]
    assert [each.quarters for each in by_hour("cdrs", overlapping, []).values()] == [4]


# --- over HTTP, through the source and the gate -----------------------------------------------------------------


class _Operator:
    """One public EVSE, one on a driveway, and the CDRs and sessions a test gives them."""

    def __init__(self, new_supplier: _NewSupplier, **modules: list[dict[str, Any]]) -> None:
        self.modules = modules
        self.clock = _CLOCK
        self.supplier = new_supplier(self._answer)
        self.url = f"{self.supplier.url}/versions"

    def _answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        since = query.get("date_from", "")
        listed = [each for each in self._listed(path) if str(each.get("last_updated", "9")) >= since]
        data = {"endpoints": listed} if path == "/details" else listed
        body = json.dumps({"data": data, "status_code": 1000, "timestamp": self.clock.isoformat()}).encode()
        return 200, {"Date": format_datetime(self.clock, usegmt=True)}, body

    def _listed(self, path: str) -> list[dict[str, Any]]:
        if path == "/versions":
            return [{"version": "2.2.1", "url": f"{self.supplier.url}/details"}]
        if path == "/details":
            names = ["locations", *self.modules]
            return [{"identifier": each, "role": "SENDER", "url": f"{self.supplier.url}/{each}"} for each in names]
        return self.modules.get(path.strip("/"), []) if path != "/locations" else [_place("L1"), _place("HOME")]


def _place(location_id: str) -> dict[str, Any]:
    changed = "2026-11-01T00:00:00Z"
    return {
        "country_code": "BE",
        "party_id": "ABC",
        "id": location_id,
        "parking_type": "ON_DRIVEWAY" if location_id == "HOME" else "ON_STREET",
        "evses": [{"uid": "E1", "status": "AVAILABLE", "last_updated": changed}],
        "coordinates": {"latitude": "50.82800", "longitude": "3.26500"},
        "last_updated": changed,
    }


def _fetch(operator: _Operator, city: City, memory: object = None, **options: str) -> Any:  # noqa: ANN401 - a Delivery
    endpoint = endpoint_of(charge_points.SOURCE, operator.url, **({"SESSIONS": "1"} | options))
    return charge_points.SOURCE.fetch(endpoint, Context(city, memory=memory or {}))


class _Cursors(_Operator):
    """The same behind a key in a header of its own, one object a page, and deaf to any cursor but its own."""

    def _answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.supplier.headers[-1].get("X-Api-Key") != "example-token":
            return 401, {}, b""
        if path in ("/versions", "/details"):
            return super()._answer(path, query)
        listed, page = self._listed(path), int(query.get("cursor", 0))
        following = page + 1 if page + 1 < len(listed) else None
        body = json.dumps({"items": listed[page : page + 1], "next": following}).encode()
        return 200, {"Date": format_datetime(self.clock, usegmt=True)}, body


def _accepted(delivery: Any, city: City) -> Split:  # noqa: ANN401 - idem
    table = all_contracts()["charge_points"].table("charge_sessions_hourly")
    return split(delivery.tables["charge_sessions_hourly"], table, city, delivery.supplied_at)


def test_nothing_of_a_single_session_comes_in(new_supplier: _NewSupplier, kortrijk: City) -> None:
    cdr = _cdr(1, "2026-11-20T10:17:09Z", "2026-11-20T10:44:12Z")
    delivery = _fetch(_Operator(new_supplier, cdrs=[cdr], sessions=[_session(2, "COMPLETED")]), kortrijk)
    written = json.dumps([frame.to_dicts() for frame in delivery.tables.values()])
    for secret in ("TOKEN-04A2", "BE-ABC-C00000001-X", "C1", "S2", "10:17:09", "10:44:12"):
        assert secret not in written
    columns = ("module", "hour_at", "energy_kwh", "session_count", "charged_minutes")
    rows = _accepted(delivery, kortrijk).accepted.select(columns).rows()
    hour = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert sorted(rows) == [("cdrs", hour, 10.0, 1, 30), ("sessions", hour, 7.0, 1, 60)]


def test_sessions_of_a_private_or_unknown_charge_point_are_counted_and_not_let_in(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    known = _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")
    home, unknown = (
        known | {"id": place, "cdr_location": {"id": place, "evse_uid": "E1"}} for place in ("HOME", "ELSEWHERE")
    )
    delivery = _fetch(_Operator(new_supplier, cdrs=[known, home, unknown]), kortrijk)
    assert delivery.tables["charge_sessions_hourly"]["location_id"].to_list() == ["L1"]
    assert [count for reason, count in delivery.withheld.items() if "laadsessie" in reason] == [2]


def test_only_whole_city_dates_come_in_and_the_crawl_says_which(new_supplier: _NewSupplier, kortrijk: City) -> None:
    # the city's 21 November begins at 23:00 UTC
    cdrs = [
        _cdr(1, "2026-11-20T22:30:00Z", "2026-11-20T23:30:00Z"),
        _cdr(2, "2026-11-22T22:30:00Z", "2026-11-22T23:30:00Z"),
        _cdr(3, "2026-11-23T05:00:00Z", "2026-11-23T05:30:00Z"),
    ]
    delivery = _fetch(_Operator(new_supplier, cdrs=cdrs), kortrijk, SESSION_DAYS="2")
    crawl = delivery.tables["crawls"].row(0, named=True)
    assert (crawl["sessions_from"], crawl["sessions_to"]) == ("2026-11-21", "2026-11-22")
    hours = _accepted(delivery, kortrijk).accepted.select("charge_date", "energy_kwh", "session_count")
    assert [(str(day), *rest) for day, *rest in hours.rows()] == [("2026-11-21", 5.0, 0), ("2026-11-22", 5.0, 1)]


def test_sessions_are_read_once_a_day_and_over_the_whole_window_again(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier, cdrs=[_cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")])
    first = _fetch(operator, kortrijk)
    again = _fetch(operator, kortrijk, first.memory)
    assert again.tables["charge_sessions_hourly"].is_empty()
    operator.clock += timedelta(days=1)
    # comes late, for a date that was read before
    operator.modules["cdrs"].append(
        _cdr(2, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", 4, last_updated="2026-11-23T08:00:00Z")
    )
    late = _fetch(operator, kortrijk, again.memory)
    assert _accepted(late, kortrijk).accepted.select("energy_kwh", "session_count").rows() == [(14.0, 2)]
    assert operator.supplier.asked[-1] == ("/cdrs", {"date_from": "2026-10-23T22:00:00Z"})


def test_sessions_of_which_the_count_is_off_by_one_come_in_with_a_warning(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    cdrs = [_cdr(number, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", 1) for number in range(20)]
    operator = _Operator(new_supplier, cdrs=cdrs)
    answer = operator.supplier.answering

    def counted(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answer(path, query)
        return status, headers | ({"X-Total-Count": "21"} if path == "/cdrs" else {}), body

    operator.supplier.answering = counted
    delivery = _fetch(operator, kortrijk)
    assert _accepted(delivery, kortrijk).accepted["session_count"].to_list() == [20]
    assert [each for each in delivery.warnings if "announced 21 objects and sent 20" in each]
    assert delivery.faults == {}


def test_a_module_at_an_address_that_cannot_be_read_fails_alone(new_supplier: _NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier, cdrs=[])
    answer = operator.supplier.answering

    def spoilt(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answer(path, query)
        return status, headers, body.replace(f"{operator.supplier.url}/cdrs".encode(), b"http://[")

    operator.supplier.answering = spoilt
    delivery = _fetch(operator, kortrijk)
    assert delivery.tables["locations"].height == 1
    assert "address" in delivery.faults["cdrs"]


def test_without_the_setting_no_session_is_asked(new_supplier: _NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier, cdrs=[_cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")])
    delivery = _fetch(operator, kortrijk, SESSIONS="0")
    assert "/cdrs" not in {path for path, _ in operator.supplier.asked}
    assert delivery.tables["crawls"]["sessions_from"].to_list() == [None]


def test_an_operator_that_offers_no_sessions_is_still_read(new_supplier: _NewSupplier, kortrijk: City) -> None:
    assert _fetch(_Operator(new_supplier), kortrijk).tables["locations"].height == 1


# --- the examples of the specification --------------------------------------------------------------------------


def _example(real_data: Path, version: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((real_data / "charge_points" / "ocpi_spec" / version / name).read_bytes())
    return found


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_the_sessions_of_the_specification_parse(real_data: Path, version: str) -> None:
    names = ("session_example_1_simple_start.json", "session_example_2_short_finished.json")
    hours, refused = _hours("sessions", *(_example(real_data, version, name) for name in names))
    assert refused == []
    assert sum(count for _, count in hours.values()) == 1
    assert sum(energy for energy, _ in hours.values()) == pytest.approx(41.12)


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_the_cdr_of_the_specification_parses_and_its_swapped_coordinates_take_no_energy_away(
    real_data: Path, kortrijk: City, version: str
) -> None:
    refused: list[Refused] = []
    found = by_hour("cdrs", [_example(real_data, version, "cdr_example.json")], refused)
    assert refused == []
    assert sum(each.energy_kwh for each in found.values()) == pytest.approx(15.342)
    rows = [session_row(key, each) for key, each in found.items()]
    frame = pl.DataFrame(rows).with_row_index("line", offset=1).cast({"line": pl.Int64})
    judged = split(frame, all_contracts()["charge_points"].table("charge_sessions_hourly"), kortrijk)
    assert judged.accepted["energy_kwh"].sum() == pytest.approx(15.342)


@pytest.mark.parametrize("name", [None, [], {}, ["C1"]])
def test_sessions_without_a_name_are_each_their_own(name: object) -> None:
    unnamed = [
        _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", 1, id=name),
        _cdr(2, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", 2, id=name),
    ]
    assert _hours("cdrs", *unnamed) == ({"20 10": (3.0, 2)}, [])


def test_a_party_that_is_no_text_spoils_its_own_session_only() -> None:
    odd = _cdr(1, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", 1, country_code=["BE"], party_id={})
    good = _cdr(2, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", 2)
    refused: list[Refused] = []
    found = by_hour("cdrs", [odd, good], refused)
    assert [each.energy_kwh for key, each in found.items() if key.evse == ("BE", "ABC", "L1", "E1")] == [2]


@pytest.mark.parametrize("day", ["9999-12-31", "2101-12-31", "1999-12-31", "0001-01-01"])
def test_a_session_at_either_end_of_the_calendar_is_not_let_in_and_told(day: str) -> None:
    strange = _cdr(1, f"{day}T22:00:00Z", f"{day}T23:59:59Z")
    assert _hours("cdrs", strange) == ({}, [UNREADABLE])


def test_cdrs_are_asked_by_the_parameter_and_the_header_that_the_settings_name(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    cdrs = [_cdr(number, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z") for number in range(3)]
    operator = _Cursors(new_supplier, cdrs=cdrs)
    named = {"SESSIONS": "cdrs", "CURSOR": "cursor", "TOKEN_HEADER": "X-Api-Key"}
    endpoint = endpoint_of(charge_points.SOURCE, operator.url, TOKEN="example-token", **named)
    delivery = charge_points.SOURCE.fetch(endpoint, Context(kortrijk, memory={}))
    assert not delivery.faults
    assert delivery.tables["charge_sessions_hourly"]["session_count"].to_list() == ["3"]
