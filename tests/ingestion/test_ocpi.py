"""OCPI locations over real HTTP, from a supplier that has the field's bad habits."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.cities.profile import City
from ingestion.delivery import Context, Endpoint, Secret
from ingestion.errors import PermanentSupplierError, TransientSupplierError
from ingestion.sources import charge_points

_NewSupplier = Callable[[Callable[..., Any]], Any]
_PAGE_SIZE = 2
_TIMESTAMP = "2026-11-23T05:59:58Z"


def _location(number: int) -> dict[str, object]:
    return {"country_code": "BE", "party_id": "ABC", "id": f"L{number}", "last_updated": _TIMESTAMP}


def _envelope(data: object, **more: object) -> bytes:
    return json.dumps({"data": data, "status_code": 1000, "timestamp": _TIMESTAMP} | more).encode()


def _paged(new_supplier: _NewSupplier, count: int, announced: int | None = None) -> Any:  # noqa: ANN401 - a fixture's own type
    """A supplier with `count` locations on pages of two, that follow each other by Link only."""
    supplier = new_supplier(lambda *_: (404, {}, b""))

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        offset = int(query.get("offset", 0))
        headers = {"X-Total-Count": str(announced or count)}
        if offset + _PAGE_SIZE < count:
            headers["Link"] = f'<{supplier.url}/locations?offset={offset + _PAGE_SIZE}&t=a%20b>; rel="next"'
        page = [_location(number) for number in range(offset, min(offset + _PAGE_SIZE, count))]
        return 200, headers, _envelope(page)

    supplier.answering = answer
    return supplier


def _fetch(url: str, city: City) -> Any:  # noqa: ANN401 - kept short; every test looks at another part
    return charge_points.fetch(Endpoint(url, Secret("example-token\n")), Context(city))


def test_every_page_is_followed_as_the_supplier_links_it(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _paged(new_supplier, 5)
    delivery = _fetch(f"{supplier.url}/locations", kortrijk)
    assert delivery.tables["locations"]["location_id"].to_list() == ["L0", "L1", "L2", "L3", "L4"]
    assert delivery.tables["locations"]["line"].to_list() == [1, 2, 3, 4, 5]
    assert [query.get("offset") for _, query in supplier.asked] == [None, "2", "4"]
    assert supplier.asked[1][1]["t"] == "a b"


def test_the_token_is_sent_as_base64_without_a_line_end(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _paged(new_supplier, 1)
    _fetch(f"{supplier.url}/locations", kortrijk)
    assert supplier.headers[0]["Authorization"] == f"Token {base64.b64encode(b'example-token').decode()}"


def test_a_delivery_speaks_until_the_suppliers_own_time(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _paged(new_supplier, 1)
    delivery = _fetch(f"{supplier.url}/locations?tenant=7", kortrijk)
    assert delivery.supplied_at == delivery.complete_until == datetime(2026, 11, 23, 5, 59, 58, tzinfo=UTC)
    assert delivery.origin == f"{supplier.url}/locations"
    assert delivery.original is None


def test_without_a_timestamp_the_date_header_tells_the_time(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (200, {}, _envelope([], timestamp="yesterday")))
    assert _fetch(supplier.url, kortrijk).supplied_at == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_without_any_time_nothing_is_loaded(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (200, {"Date": "?"}, _envelope([], timestamp=None)))
    with pytest.raises(PermanentSupplierError, match="tells no time"):
        _fetch(supplier.url, kortrijk)


def test_a_crawl_that_brings_fewer_than_announced_is_tried_once_more_and_refused(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    supplier = _paged(new_supplier, 3, announced=7)
    with pytest.raises(TransientSupplierError, match="announced 7 objects and sent 3, twice"):
        _fetch(f"{supplier.url}/locations", kortrijk)
    assert len(supplier.asked) == 4


def test_a_next_page_on_another_host_is_refused(new_supplier: _NewSupplier, kortrijk: City) -> None:
    other = new_supplier(lambda *_: (200, {}, _envelope([])))
    link = {"Link": f'<{other.url}/locations?offset=2>; rel="next"'}
    supplier = new_supplier(lambda *_: (200, link, _envelope([_location(1)])))
    with pytest.raises(PermanentSupplierError, match="outside"):
        _fetch(supplier.url, kortrijk)
    assert other.asked == []


def test_pages_in_a_circle_end(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))
    supplier.answering = lambda *_: (200, {"Link": f'<{supplier.url}/a>; rel="next"'}, _envelope([]))
    with pytest.raises(PermanentSupplierError, match="circle"):
        _fetch(f"{supplier.url}/a", kortrijk)
    assert len(supplier.asked) == 1


def test_pages_without_end_stop_soon_after_the_announced_total(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))

    def endless(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        following = int(query.get("offset", 0)) + 1
        headers = {"Link": f'<{supplier.url}/?offset={following}>; rel="next"', "X-Total-Count": "5"}
        return 200, headers, _envelope([_location(following)])

    supplier.answering = endless
    with pytest.raises(PermanentSupplierError, match="no end"):
        _fetch(supplier.url, kortrijk)
    assert len(supplier.asked) < 30


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (2001, PermanentSupplierError),
        (3000, TransientSupplierError),
        (4002, TransientSupplierError),
        ("1000", PermanentSupplierError),
        (None, PermanentSupplierError),
    ],
)
def test_a_failure_inside_a_good_http_answer_is_seen(
    new_supplier: _NewSupplier, kortrijk: City, code: object, error: type[Exception]
) -> None:
    supplier = new_supplier(lambda *_: (200, {}, _envelope([_location(1)], status_code=code)))
    with pytest.raises(error, match="OCPI status"):
        _fetch(supplier.url, kortrijk)


@pytest.mark.parametrize("body", [b"[]", b'{"items": []}', b"<html>"])
def test_what_is_no_envelope_is_refused(new_supplier: _NewSupplier, kortrijk: City, body: bytes) -> None:
    supplier = new_supplier(lambda *_: (200, {}, body))
    with pytest.raises(PermanentSupplierError):
        _fetch(supplier.url, kortrijk)


def test_data_that_is_no_list_is_refused(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (200, {}, _envelope({"id": "L1"})))
    with pytest.raises(PermanentSupplierError, match="no list"):
        _fetch(supplier.url, kortrijk)


def _discovering(new_supplier: _NewSupplier, versions: list[str], role: str = "SENDER") -> Any:  # noqa: ANN401 - idem
    supplier = new_supplier(lambda *_: (404, {}, b""))

    def answer(path: str, _: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path.endswith("/versions"):
            offered = [{"version": version, "url": f"{supplier.url}/{version}/details"} for version in versions]
            return 200, {}, _envelope(offered)
        if path.endswith("/details"):
            version = path.split("/")[1]
            endpoint = {"identifier": "locations", "role": role, "url": f"{supplier.url}/{version}/locations"}
            return 200, {}, _envelope({"version": version, "endpoints": [{"identifier": "cdrs"}, endpoint]})
        return 200, {}, _envelope([_location(1)])

    supplier.answering = answer
    return supplier


def test_the_newest_version_we_speak_is_discovered(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _discovering(new_supplier, ["2.1.1", "2.2.1", "2.3.0", "3.0"])
    delivery = _fetch(f"{supplier.url}/versions", kortrijk)
    assert supplier.asked[-1][0] == "/2.3.0/locations"
    assert delivery.tables["locations"].height == 1


def test_a_supplier_without_a_version_we_speak_is_told_so(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _discovering(new_supplier, ["2.0", "2.1.1"])
    with pytest.raises(PermanentSupplierError, match=r"neither OCPI 2\.3\.0 nor 2\.2\.1, but 2\.0, 2\.1\.1"):
        _fetch(f"{supplier.url}/versions", kortrijk)


def test_an_endpoint_that_only_receives_is_not_read(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _discovering(new_supplier, ["2.2.1"], role="RECEIVER")
    with pytest.raises(PermanentSupplierError, match="publishes no locations"):
        _fetch(f"{supplier.url}/versions", kortrijk)
