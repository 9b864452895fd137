"""GeoReport requests over real HTTP, from servers with and without pages."""

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from contracts.cities.profile import City
from contracts.gate import split
from contracts.sources.tickets_1777 import REQUESTS
from ingestion.delivery import Context, Endpoint, Secret
from ingestion.errors import PermanentSupplierError
from ingestion.sources import tickets_1777

_NewSupplier = Callable[[Callable[..., Any]], Any]
_SERVER_TIME = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
_SECRET = "canary-7f3a"


def _tickets(count: int, every: timedelta, until: datetime = _SERVER_TIME) -> list[dict[str, object]]:
    """Open requests, evenly spread back from `until`, numbered from the oldest."""
    first = until - every * count
    return [
        {"service_request_id": number, "status": "open", "requested_datetime": (first + every * number).isoformat()}
        for number in range(count)
    ]


def _serve(
    new_supplier: _NewSupplier, tickets: list[dict[str, object]], limit: int = 1000, *, pages: bool = True
) -> Any:  # noqa: ANN401 - a fixture's own type
    """A GeoReport server over these tickets, with its own limit and perhaps without pages."""
    moments = [str(ticket["requested_datetime"]) for ticket in tickets]

    def answer(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path != "/open311/requests.json":
            return 404, {}, b""
        start, end = (
            query.get("start_date", "1970").replace("Z", "+00:00"),
            query.get("end_date", "3").replace("Z", "+00:00"),
        )
        inside = [ticket for ticket, moment in zip(tickets, moments, strict=True) if start <= moment < end]
        size = min(limit, int(query["page_size"])) if pages else limit
        first = (int(query["page"]) - 1) * size if pages else 0
        return 200, {}, json.dumps(inside[first : first + size]).encode()

    return new_supplier(answer)


def _ids(url: str, city: City, since: date | None = None, secret: Secret | None = None) -> list[str]:
    delivery = tickets_1777.fetch(Endpoint(f"{url}/open311", secret, since), Context(city))
    ids: list[str] = delivery.tables["requests"]["service_request_id"].to_list()
    return ids


def test_all_pages_of_all_windows_are_read_once(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, _tickets(3000, timedelta(minutes=40)))
    assert sorted(map(int, _ids(supplier.url, kortrijk))) == list(range(3000))


def test_no_window_is_longer_than_thirty_days_and_they_join(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, [])
    _ids(supplier.url, kortrijk, since=date(2026, 9, 1))
    windows = [(query["start_date"], query["end_date"]) for _, query in supplier.asked if "start_date" in query]
    # the city's midnight, not that of Greenwich
    assert windows[0][0] == "2026-08-31T22:00:00Z"
    assert windows[-1][1] == "2026-11-23T06:00:00Z"
    assert all(end == start for (_, end), (start, _) in pairwise(windows))
    spans = [datetime.fromisoformat(end) - datetime.fromisoformat(start) for start, end in windows]
    assert max(spans) == timedelta(days=30)


def test_by_default_a_third_of_a_year_is_asked(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, [])
    _ids(supplier.url, kortrijk)
    assert supplier.asked[1][1]["start_date"] == "2026-07-26T06:00:00Z"


@pytest.mark.parametrize("limit", [50, 70, 200])
def test_a_server_with_smaller_pages_loses_nothing(new_supplier: _NewSupplier, kortrijk: City, limit: int) -> None:
    supplier = _serve(new_supplier, _tickets(400, timedelta(hours=2)), limit)
    assert len(set(_ids(supplier.url, kortrijk))) == 400


def test_a_server_without_pages_is_asked_by_shorter_windows(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, _tickets(2500, timedelta(minutes=30)), pages=False)
    assert sorted(map(int, _ids(supplier.url, kortrijk))) == list(range(2500))


def test_a_server_that_can_never_be_read_whole_is_refused_with_the_hour(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    supplier = _serve(new_supplier, _tickets(3000, timedelta(seconds=1)), pages=False)
    with pytest.raises(PermanentSupplierError, match=r"2026-11-23 05:\d\d UTC short"):
        _ids(supplier.url, kortrijk, since=date(2026, 11, 23))


def test_a_delivery_speaks_until_the_suppliers_own_time(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, _tickets(1, timedelta(hours=1)))
    delivery = tickets_1777.fetch(Endpoint(f"{supplier.url}/open311/?jurisdiction_id=kortrijk.be"), Context(kortrijk))
    assert delivery.supplied_at == delivery.complete_until == _SERVER_TIME
    assert delivery.origin == f"{supplier.url}/open311/"
    assert all(query["jurisdiction_id"] == "kortrijk.be" for _, query in supplier.asked)


def test_the_key_is_sent_and_never_shown(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (403, {}, b""))
    with pytest.raises(PermanentSupplierError) as refused:
        _ids(supplier.url, kortrijk, secret=Secret(_SECRET))
    assert supplier.asked[0][1]["api_key"] == _SECRET
    assert _SECRET not in str(refused.value)


@pytest.mark.parametrize("body", [b"<html>", b'{"errors": []}', b""])
def test_an_answer_that_is_no_list_is_refused(new_supplier: _NewSupplier, kortrijk: City, body: bytes) -> None:
    supplier = new_supplier(lambda *_: (200, {}, body))
    with pytest.raises(PermanentSupplierError):
        _ids(supplier.url, kortrijk)


def test_without_the_suppliers_time_nothing_is_loaded(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (200, {"Date": "?"}, b"[]"))
    with pytest.raises(PermanentSupplierError, match="Date header"):
        _ids(supplier.url, kortrijk)


def test_identifiers_become_text_and_unknown_fields_only_a_name() -> None:
    frame = tickets_1777.flatten([{"service_request_id": 638344, "description": "my name is Jan", "line": 9}])
    assert frame["service_request_id"].to_list() == ["638344"]
    assert frame["description"].to_list() == [None]
    assert frame["line"].to_list() == [1]


def test_a_request_without_identifier_is_a_refused_row_not_a_lost_one(kortrijk: City) -> None:
    good = {"service_request_id": "1", "status": "open", "requested_datetime": "2026-11-20T10:00:00+01:00"}
    frame = tickets_1777.flatten([good, {"token": "pending"}, "no object", {"service_request_id": ["x"]}])
    found = split(frame, REQUESTS, kortrijk)
    assert found.accepted["service_request_id"].to_list() == ["1"]
    assert found.quarantined["line"].to_list() == [2, 3, 4]


def test_a_busy_year_is_read_in_seconds(new_supplier: _NewSupplier, kortrijk: City) -> None:
    by_page: dict[tuple[str, int], bytes] = {}
    tickets = _tickets(58_000, timedelta(minutes=4), datetime(2026, 11, 23, 6, tzinfo=UTC))
    for ticket in tickets:
        ticket["service_name"] = "Sluikstorten"

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        window = query.get("start_date", "")
        if (window, 1) not in by_page and window:
            start, end = window.replace("Z", "+00:00"), query["end_date"].replace("Z", "+00:00")
            inside = [ticket for ticket in tickets if start <= str(ticket["requested_datetime"]) < end]
            pages = [inside[first : first + 1000] for first in range(0, len(inside), 1000)]
            by_page.update({(window, at): json.dumps(page).encode() for at, page in enumerate(pages, 1)})
        return 200, {}, by_page.get((window, int(query["page"])), b"[]")

    supplier = new_supplier(answer)
    started = time.monotonic()
    ids = _ids(supplier.url, kortrijk, since=date(2026, 6, 14))
    assert len(set(ids)) == len(ids) == 58_000
    assert time.monotonic() - started < 20
