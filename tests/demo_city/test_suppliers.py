import gzip
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from defusedxml.ElementTree import fromstring

from contracts.cities.kortrijk import CITY
from ingestion.delivery import Context
from ingestion.demo_city.suppliers import ocpi_supplier, open311_supplier
from ingestion.sources import charge_points, tickets_1777
from tests.ingestion.asking import endpoint_of

CLOCK = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
TOKEN = {"Authorization": f"Token {b64encode(b'geheim').decode()}"}
LOCATIONS = [
    {"country_code": "BE", "party_id": "DLN", "id": f"L{number}", "last_updated": f"2026-10-{number:02d}T00:00:00Z"}
    for number in range(1, 8)
]


def _request(number: int, asked: datetime, status: str = "closed") -> dict[str, Any]:
    return {
        "service_request_id": f"R{number}",
        "status": status,
        "service_code": f"S{number % 2}",
        "service_name": f"Thema {number % 2}",
        "requested_datetime": asked.isoformat(),
        "updated_datetime": (asked + timedelta(hours=1)).isoformat(),
    }


REQUESTS = [_request(number, CLOCK - timedelta(days=number), "open" if number < 3 else "closed") for number in range(9)]


@pytest.fixture
def ocpi() -> Iterator[str]:
    with ocpi_supplier(LOCATIONS, token="geheim", clock=CLOCK, page_size=3) as url:
        yield url


@pytest.fixture
def desk() -> Iterator[str]:
    with open311_supplier(REQUESTS, api_key="geheim", clock=CLOCK) as url:
        yield url


def _ask(url: str, **params: str | int) -> requests.Response:
    return requests.get(url, params={"api_key": "geheim", **params}, timeout=5)


def _locations_url(versions_url: str) -> str:
    versions = requests.get(versions_url, headers=TOKEN, timeout=5).json()["data"]
    (details_url,) = [version["url"] for version in versions if version["version"] == "2.2.1"]
    details = requests.get(details_url, headers=TOKEN, timeout=5).json()["data"]
    (endpoint,) = [found["url"] for found in details["endpoints"] if found["identifier"] == "locations"]
    return str(endpoint)


# OCPI


def test_an_operator_listens_on_loopback_only(ocpi: str) -> None:
    assert urlsplit(ocpi).hostname == "127.0.0.1"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token geheim"}, {"Authorization": "Bearer x"}])
def test_an_operator_refuses_who_brings_no_encoded_token(ocpi: str, headers: dict[str, str]) -> None:
    answer = requests.get(ocpi, headers=headers, timeout=5)
    assert answer.status_code == 401
    assert answer.json()["status_code"] == 2001


def test_discovery_leads_from_versions_to_the_locations_of_2_2_1(ocpi: str) -> None:
    assert _locations_url(ocpi).endswith("/ocpi/cpo/2.2.1/locations")


def test_every_page_says_how_many_there_are_and_where_the_next_is(ocpi: str) -> None:
    answer = requests.get(_locations_url(ocpi), headers=TOKEN, timeout=5)
    assert [found["id"] for found in answer.json()["data"]] == ["L1", "L2", "L3"]
    assert answer.headers["X-Total-Count"] == "7"
    assert answer.headers["X-Limit"] == "3"
    assert urlsplit(answer.links["next"]["url"]).netloc == urlsplit(ocpi).netloc


def test_following_the_links_gives_every_location_once(ocpi: str) -> None:
    found: list[str] = []
    url: str | None = _locations_url(ocpi)
    while url:
        answer = requests.get(url, headers=TOKEN, timeout=5)
        found += [location["id"] for location in answer.json()["data"]]
        url = answer.links.get("next", {}).get("url")
    assert found == [location["id"] for location in LOCATIONS]


def test_a_page_is_never_larger_than_the_operators_limit(ocpi: str) -> None:
    answer = requests.get(_locations_url(ocpi), headers=TOKEN, params={"limit": 100, "offset": 2}, timeout=5)
    assert [found["id"] for found in answer.json()["data"]] == ["L3", "L4", "L5"]


def test_an_operator_filters_on_the_moment_of_change(ocpi: str) -> None:
    window = {"date_from": "2026-10-02T00:00:00Z", "date_to": "2026-10-04T00:00:00Z"}
    answer = requests.get(_locations_url(ocpi), headers=TOKEN, params=window, timeout=5)
    assert [found["id"] for found in answer.json()["data"]] == ["L2", "L3"]


def test_an_operator_explains_what_it_cannot_read(ocpi: str) -> None:
    for params in ({"offset": "-1"}, {"limit": "veel"}, {"date_from": "gisteren"}):
        answer = requests.get(_locations_url(ocpi), headers=TOKEN, params=params, timeout=5)
        assert answer.status_code == 400
        assert answer.json()["status_code"] == 2001


def test_an_unknown_address_of_an_operator_is_not_found(ocpi: str) -> None:
    assert requests.get(f"{ocpi}/elders", headers=TOKEN, timeout=5).status_code == 404


def test_the_operators_clock_stands_still(ocpi: str) -> None:
    answer = requests.get(ocpi, headers=TOKEN, timeout=5)
    assert answer.headers["Date"] == "Sun, 22 Nov 2026 20:00:00 GMT"
    assert answer.json()["timestamp"] == "2026-11-22T20:00:00Z"


def test_our_own_reader_gets_every_location(ocpi: str) -> None:
    delivery = charge_points.SOURCE.fetch(endpoint_of(charge_points.SOURCE, ocpi, TOKEN="geheim"), Context(CITY))
    assert delivery.tables["locations"]["location_id"].to_list() == [location["id"] for location in LOCATIONS]
    assert delivery.supplied_at == CLOCK


def test_an_operator_is_gone_after_its_block() -> None:
    with ocpi_supplier(LOCATIONS, token="geheim", clock=CLOCK) as url:
        assert requests.get(url, headers=TOKEN, timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(url, headers=TOKEN, timeout=5)


# Open311


@pytest.mark.parametrize("params", [{}, {"api_key": ""}, {"api_key": "anders"}])
def test_the_desk_refuses_who_brings_no_key(desk: str, params: dict[str, str]) -> None:
    answer = requests.get(f"{desk}/requests.json", params=params, timeout=5)
    assert answer.status_code == 403
    assert answer.json() == [{"code": 403, "description": "api_key was missing or invalid"}]


def test_the_desk_lists_its_services(desk: str) -> None:
    assert [service["service_code"] for service in _ask(f"{desk}/services.json").json()] == ["S0", "S1"]


def test_a_window_holds_its_start_and_not_its_end(desk: str) -> None:
    start, end = CLOCK - timedelta(days=5), CLOCK - timedelta(days=3)
    answer = _ask(f"{desk}/requests.json", start_date=start.isoformat(), end_date=end.isoformat())
    assert [row["service_request_id"] for row in answer.json()] == ["R5", "R4"]


def test_windows_that_touch_hold_every_request_once(desk: str) -> None:
    edges = [CLOCK - timedelta(days=day) for day in (10, 6, 4, 0)] + [CLOCK + timedelta(seconds=1)]
    found = [
        row["service_request_id"]
        for start, end in pairwise(edges)
        for row in _ask(f"{desk}/requests.json", start_date=start.isoformat(), end_date=end.isoformat()).json()
    ]
    assert sorted(found) == sorted(row["service_request_id"] for row in REQUESTS)


def test_the_desk_filters_on_status(desk: str) -> None:
    rows = _ask(f"{desk}/requests.json", status="open").json()
    assert {row["service_request_id"] for row in rows} == {"R0", "R1", "R2"}


def test_the_desk_finds_requests_by_their_identifiers(desk: str) -> None:
    rows = _ask(f"{desk}/requests.json", service_request_id="R3,R8").json()
    assert {row["service_request_id"] for row in rows} == {"R3", "R8"}


def test_pages_together_hold_every_request_once(desk: str) -> None:
    pages = [_ask(f"{desk}/requests.json", page=number, page_size=4).json() for number in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [4, 4, 1, 0]
    assert len({row["service_request_id"] for page in pages for row in page}) == len(REQUESTS)


def test_without_a_window_the_desk_goes_ninety_days_back() -> None:
    old, new = _request(1, CLOCK - timedelta(days=91)), _request(2, CLOCK - timedelta(days=89))
    with open311_supplier([old, new], api_key="geheim", clock=CLOCK) as desk:
        rows = _ask(f"{desk}/requests.json").json()
    assert [row["service_request_id"] for row in rows] == ["R2"]


def test_a_page_never_holds_more_than_a_thousand() -> None:
    many = [_request(number, CLOCK - timedelta(minutes=number)) for number in range(1200)]
    with open311_supplier(many, api_key="geheim", clock=CLOCK, page_size=5000) as desk:
        assert len(_ask(f"{desk}/requests.json", page_size=5000).json()) == 1000


def test_the_desk_explains_what_it_cannot_read(desk: str) -> None:
    for params in ({"start_date": "gisteren"}, {"page": "een"}):
        answer = _ask(f"{desk}/requests.json", **params)
        assert answer.status_code == 400
        assert answer.json()[0]["code"] == 400


def test_an_unknown_address_of_the_desk_is_not_found(desk: str) -> None:
    assert _ask(f"{desk}/tokens.json").status_code == 404


def test_the_desk_packs_its_answer_for_who_can_unpack_it(desk: str) -> None:
    plain = requests.get(
        f"{desk}/requests.json", params={"api_key": "geheim"}, headers={"Accept-Encoding": "identity"}, timeout=5
    )
    packed = requests.get(
        f"{desk}/requests.json",
        params={"api_key": "geheim"},
        headers={"Accept-Encoding": "gzip"},
        timeout=5,
        stream=True,
    )
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.raw.read())) == plain.json()


def test_the_desks_clock_stands_still(desk: str) -> None:
    assert _ask(f"{desk}/services.json").headers["Date"] == "Sun, 22 Nov 2026 20:00:00 GMT"


def test_our_own_reader_gets_every_request(desk: str) -> None:
    delivery = tickets_1777.SOURCE.fetch(
        endpoint_of(tickets_1777.SOURCE, desk, TOKEN="geheim", SINCE="2026-11-01"), Context(CITY)
    )
    # the request of this very second lies after the window
    assert delivery.tables["requests"].height == len(REQUESTS) - 1


def test_the_desk_says_the_same_in_xml(desk: str) -> None:
    answer = _ask(f"{desk}/requests.xml", page_size=3)
    assert answer.headers["Content-Type"].startswith("text/xml")
    found = [row.findtext("service_request_id") for row in fromstring(answer.content)]
    assert found == [row["service_request_id"] for row in _ask(f"{desk}/requests.json", page_size=3).json()]
    assert [service.tag for service in fromstring(_ask(f"{desk}/services.xml").content)] == ["service", "service"]


def test_the_desk_filters_on_the_moment_of_change(desk: str) -> None:
    rows = _ask(f"{desk}/requests.json", updated_after=(CLOCK - timedelta(days=2)).isoformat()).json()
    assert {row["service_request_id"] for row in rows} == {"R0", "R1", "R2"}
    assert _ask(f"{desk}/requests.json", updated_after="2030-01-01T00:00:00Z").json() == []


def test_a_desk_without_a_reply_log_does_not_know_its_address(desk: str) -> None:
    assert _ask(f"{desk}/servicerequestupdates.xml").status_code == 404


def test_the_reply_log_is_served_by_window_in_both_formats() -> None:
    updates = [
        {
            "update_id": number,
            "service_request_id": "R1",
            "updated_datetime": (CLOCK - timedelta(days=number)).isoformat(),
        }
        for number in range(1, 6)
    ]
    window = {
        "start_date": (CLOCK - timedelta(days=4)).isoformat(),
        "end_date": (CLOCK - timedelta(days=1)).isoformat(),
    }
    with open311_supplier(REQUESTS, api_key="geheim", clock=CLOCK, updates=updates) as url:
        json_rows = _ask(f"{url}/servicerequestupdates.json", **window).json()
        root = fromstring(_ask(f"{url}/servicerequestupdates.xml", **window).content)
    assert [row["update_id"] for row in json_rows] == [4, 3, 2]
    assert (root.tag, [row.findtext("update_id") for row in root]) == ("service_request_updates", ["4", "3", "2"])


def test_sixty_thousand_requests_in_pages_answer_quickly() -> None:
    many = [_request(number, CLOCK - timedelta(minutes=number)) for number in range(60_000)]
    with open311_supplier(many, api_key="geheim", clock=CLOCK) as desk, requests.Session() as session:
        start = time.monotonic()
        window = {"api_key": "geheim", "start_date": "2026-01-01T00:00:00Z", "page_size": 1000}
        pages = [
            session.get(f"{desk}/requests.json", params={**window, "page": number}, timeout=5).json()
            for number in range(1, 61)
        ]
    assert sum(len(page) for page in pages) == 60_000
    assert time.monotonic() - start < 10
