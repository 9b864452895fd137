"""Every example of the OCPI specification: what a client that pulls meets is read, the rest is named as never met."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.cities.profile import City
from contracts.gate import split
from contracts.registry import all_contracts
from ingestion.delivery import Context
from ingestion.errors import PermanentSupplierError
from ingestion.sources import charge_points
from tests.ingestion.asking import endpoint_of

_NewSupplier = Callable[[Callable[..., Any]], Any]
_RELEASES = ("2.2.1", "2.3.0")
_BARE_DETAILS = ("version_details_example.json", "version_details_example2.json")
_ENVELOPED_DETAILS = ("transport_and_format_version_details_example.json",)
_VERSIONS = ("versions_info_example.json", "transport_and_format_version_info_example.json")
_LOCATIONS = (
    "location_example.json",
    "location_example_parking_garage_opening_hours.json",
    "location_example_uc2_destination_charger.json",
    "location_example_uc3_destination_charger_not_published.json",
    "location_example_uc4_limited_visibility.json",
    "location_example_uc5_home_charge_point.json",
)
_PARTS_OF_A_LOCATION = {
    "location_energymix_example_complete.json": None,
    "location_energymix_example_energy_provider.json": None,
    "location_energymix_example_simple.json": None,
    "location_regularhours_example.json": None,
    "location_hours_247_open_exception_closing.json": "opening_times",
    "location_hours_opening_hours_with_exceptional_closing.json": "opening_times",
    "location_hours_opening_hours_with_exceptional_opening.json": "opening_times",
}
# read in test_ocpi_sessions
_CHARGING = ("cdr_example.json", "session_example_1_simple_start.json", "session_example_2_short_finished.json")
# bodies of PATCH and PUT: an operator sends them to who takes pushes, and a client that pulls gets whole objects
_PUSHED = (
    "location_patch_example_location.json",
    "location_patch_example_remove_evse.json",
    "location_patch_example_status.json",
    "location_patch_example_tariff.json",
    "location_put_example_add_evse.json",
    "session_patch_example_charging_period.json",
    "session_patch_example_total_cost.json",
)
# charge cards: the city never asks for persons
_NEVER_ASKED = ("transport_and_format_get_token_example.json", "transport_and_format_get_token_list_example.json")
_MOMENT = "2026-11-23T05:59:58Z"


@pytest.fixture(params=_RELEASES)
def release(request: pytest.FixtureRequest, real_data: Path) -> Path:
    """The folder with the examples of one release."""
    return real_data / "charge_points" / "ocpi_spec" / str(request.param)


def _read(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_bytes())


def _envelope(data: object) -> bytes:
    return json.dumps({"data": data, "status_code": 1000, "timestamp": _MOMENT}).encode()


def _supplier(new_supplier: _NewSupplier, answers: Mapping[str, bytes]) -> Any:  # noqa: ANN401 - a fixture's own type
    """Answers by address; what the examples say of a host is this one."""
    supplier = new_supplier(lambda *_: (404, {}, b""))

    def answer(path: str, _: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        body = answers.get(path, _envelope([{"id": "L1", "last_updated": _MOMENT}]))
        for host in ("https://example.com", "https://www.server.com"):
            body = body.replace(host.encode(), supplier.url.encode())
        return 200, {}, body

    supplier.answering = answer
    return supplier


def _pulled(url: str, city: City) -> Any:  # noqa: ANN401 - a Delivery
    return charge_points.SOURCE.fetch(endpoint_of(charge_points.SOURCE, url), Context(city))


def test_every_example_is_read_or_named_as_never_met(release: Path) -> None:
    known = [*_BARE_DETAILS, *_ENVELOPED_DETAILS, *_VERSIONS, *_LOCATIONS, *_PARTS_OF_A_LOCATION, *_CHARGING]
    known += [*_PUSHED, *_NEVER_ASKED]
    assert sorted(path.name for path in release.iterdir()) == sorted(known)


@pytest.mark.parametrize("name", [*_BARE_DETAILS, *_ENVELOPED_DETAILS])
def test_the_details_of_a_version_lead_to_the_locations_that_are_sent(
    new_supplier: _NewSupplier, kortrijk: City, release: Path, name: str
) -> None:
    details = _read(release / name)
    versions = _envelope([{"version": release.name, "url": "https://example.com/details"}])
    body = json.dumps(details).encode() if name in _ENVELOPED_DETAILS else _envelope(details)
    supplier = _supplier(new_supplier, {"/versions": versions, "/details": body})
    _pulled(f"{supplier.url}/versions", kortrijk)
    assert supplier.asked[-1][0] == "/ocpi/cpo/2.2/locations"


def test_of_the_versions_the_highest_that_both_speak_is_taken(
    new_supplier: _NewSupplier, kortrijk: City, release: Path
) -> None:
    details = _envelope({"endpoints": [{"identifier": "locations", "url": "https://example.com/locations"}]})
    versions = _envelope(_read(release / "versions_info_example.json"))
    supplier = _supplier(new_supplier, {"/ocpi/versions": versions, "/ocpi/2.2.1": details})
    _pulled(f"{supplier.url}/ocpi/versions", kortrijk)
    assert [path for path, _ in supplier.asked] == ["/ocpi/versions", "/ocpi/2.2.1", "/locations"]


def test_of_versions_that_we_do_not_speak_the_names_are_told(
    new_supplier: _NewSupplier, kortrijk: City, release: Path
) -> None:
    versions = (release / "transport_and_format_version_info_example.json").read_bytes()
    supplier = _supplier(new_supplier, {"/versions": versions})
    with pytest.raises(PermanentSupplierError, match=r"neither OCPI 2\.3\.0 nor 2\.2\.1, but 2\.1\.1, 2\.2; ask"):
        _pulled(f"{supplier.url}/versions", kortrijk)


@pytest.mark.parametrize("name", _PARTS_OF_A_LOCATION)
def test_a_location_with_this_part_is_taken_in(
    new_supplier: _NewSupplier, kortrijk: City, release: Path, name: str
) -> None:
    part, within = _read(release / name), _PARTS_OF_A_LOCATION[name]
    location = _read(release / "location_example.json") | ({within: part} if within else part)
    supplier = _supplier(new_supplier, {"/locations": _envelope([location])})
    delivery = _pulled(f"{supplier.url}/locations", kortrijk)
    for table in ("locations", "evses", "connectors"):
        rows, contract = delivery.tables[table], all_contracts()["charge_points"].table(table)
        judged = split(rows, contract, kortrijk, delivery.supplied_at)
        assert (judged.accepted.height > 0, judged.quarantined.height) == (True, 0)


def test_a_pushed_part_that_is_pulled_by_mistake_is_refused_and_not_guessed_at(
    new_supplier: _NewSupplier, kortrijk: City, release: Path
) -> None:
    parts = [_read(release / name) for name in _PUSHED if name.startswith("location")]
    supplier = _supplier(new_supplier, {"/locations": _envelope(parts)})
    delivery = _pulled(f"{supplier.url}/locations", kortrijk)
    judged = split(delivery.tables["locations"], all_contracts()["charge_points"].table("locations"), kortrijk)
    assert (judged.accepted.height, judged.quarantined.height) == (0, len(parts))
