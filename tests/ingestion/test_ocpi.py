"""OCPI locations over real HTTP, from a supplier that has the field's bad habits."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.cities.profile import City
from contracts.gate import split
from contracts.registry import all_contracts
from ingestion.delivery import Context
from ingestion.errors import PermanentSupplierError, TransientSupplierError
from ingestion.sources import charge_points
from tests.ingestion.asking import endpoint_of

_NewSupplier = Callable[[Callable[..., Any]], Any]
_PAGE_SIZE = 2
_NO_WAIT = {"Retry-After": "0"}
_TIMESTAMP = "2026-11-23T05:59:58Z"


def _location(number: int) -> dict[str, object]:
    whose = {"country_code": "BE", "party_id": "ABC", "id": f"L{number}", "last_updated": _TIMESTAMP}
    return whose | {"coordinates": {"latitude": "50.82800", "longitude": "3.26500"}}


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


def _fetch(url: str, city: City, memory: object = None, **options: str) -> Any:  # noqa: ANN401 - idem
    endpoint = endpoint_of(charge_points.SOURCE, url, TOKEN="example-token\n", **options)
    return charge_points.SOURCE.fetch(endpoint, Context(city, memory=memory or {}))


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


def test_a_count_that_is_off_by_one_each_time_is_a_warning_and_nothing_vanishes_by_it(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    first = _fetch(f"{_paged(new_supplier, 12).url}/locations", kortrijk)
    supplier = _paged(new_supplier, 11, announced=12)
    delivery = _fetch(f"{supplier.url}/locations", kortrijk, first.memory, FULL_EVERY_DAYS="0")
    assert delivery.tables["locations"].height == 11
    assert delivery.tables["crawls"]["is_full"].to_list() == ["false"]
    assert [each for each in delivery.warnings if "announced 12 objects and sent 11, twice" in each]
    assert len(supplier.asked) == 12
    # what may be missing is asked again: neither the window nor the last pull of everything moves
    kept = ("until", "full_at", "distinct_locations")
    assert {name: delivery.memory[name] for name in kept} == {name: first.memory[name] for name in kept}


def test_a_first_contact_that_lacks_one_is_asked_whole_again(new_supplier: _NewSupplier, kortrijk: City) -> None:
    url = f"{_paged(new_supplier, 11, announced=12).url}/locations"
    delivery = _fetch(url, kortrijk)
    assert (delivery.tables["locations"].height, delivery.memory["full_at"]) == (11, None)
    assert _fetch(url, kortrijk, delivery.memory).tables["locations"].height == 11


def test_a_count_that_changes_while_it_lacks_waits_for_the_next_run(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))
    page = _envelope([_location(number) for number in range(20)])
    supplier.answering = lambda *_: (200, {"X-Total-Count": str(20 + len(supplier.asked))}, page)
    with pytest.raises(TransientSupplierError, match="announced 22 objects and sent 20, twice"):
        _fetch(supplier.url, kortrijk)


def test_a_next_page_on_another_host_is_refused(new_supplier: _NewSupplier, kortrijk: City) -> None:
    other = new_supplier(lambda *_: (200, {}, _envelope([])))
    link = {"Link": f'<{other.url}/locations?offset=2>; rel="next"'}
    supplier = new_supplier(lambda *_: (200, link, _envelope([_location(1)])))
    with pytest.raises(PermanentSupplierError, match="outside"):
        _fetch(supplier.url, kortrijk)
    assert other.asked == []


def _hub(new_supplier: _NewSupplier) -> tuple[Any, Any]:
    """A hub of which the list of versions leads to another address."""
    other = new_supplier(lambda *_: (200, {}, _envelope([_location(1)])))
    hub = _discovering(new_supplier, ["2.2.1"])
    named = hub.answering
    hub.answering = lambda path, query: (
        *named(path, query)[:2],
        named(path, query)[2].replace(f"{hub.url}/2.2.1/locations".encode(), f"{other.url}/locations".encode()),
    )
    return hub, other


def test_a_hub_on_two_addresses_is_read_where_the_settings_name_both(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    hub, other = _hub(new_supplier)
    with pytest.raises(PermanentSupplierError, match="ORIGINS"):
        _fetch(f"{hub.url}/versions", kortrijk)
    with pytest.raises(PermanentSupplierError, match="outside"):
        _fetch(f"{hub.url}/versions", kortrijk, ORIGINS="https://other.example")
    assert other.asked == []
    delivery = _fetch(f"{hub.url}/versions", kortrijk, ORIGINS=f"https://other.example, {other.url}")
    assert delivery.tables["locations"].height == 1
    # who lists an address trusts it with the token
    assert other.headers[0]["Authorization"] == hub.headers[0]["Authorization"]


def test_pages_in_a_circle_end(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))
    supplier.answering = lambda *_: (200, {"Link": f'<{supplier.url}/a>; rel="next"'}, _envelope([]))
    with pytest.raises(PermanentSupplierError, match="leads back to a page already asked"):
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


def test_empty_pages_after_a_total_of_nothing_stop_soon_too(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))

    def endless(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        following = int(query.get("offset", 0)) + 1
        return 200, {"Link": f'<{supplier.url}/?offset={following}>; rel="next"', "X-Total-Count": "0"}, _envelope([])

    supplier.answering = endless
    with pytest.raises(PermanentSupplierError, match="no end"):
        _fetch(supplier.url, kortrijk)
    assert len(supplier.asked) < 30


@pytest.mark.parametrize("link", ["?offset=1", "/ocpi/locations?offset=1", "locations?offset=1"])
def test_a_next_page_named_without_its_host_is_on_the_same_one(
    new_supplier: _NewSupplier, kortrijk: City, link: str
) -> None:
    supplier = new_supplier(
        lambda _, query: (
            (200, {}, _envelope([_location(2)]))
            if "offset" in query
            else (200, {"Link": f'<{link}>; rel="next"'}, _envelope([_location(1)]))
        )
    )
    assert _fetch(f"{supplier.url}/ocpi/locations", kortrijk).tables["locations"].height == 2
    assert supplier.asked[-1] == ("/ocpi/locations", {"offset": "1"})


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (2001, PermanentSupplierError),
        (3000, TransientSupplierError),
        (4001, TransientSupplierError),
        ("1000", PermanentSupplierError),
        (None, PermanentSupplierError),
    ],
)
def test_a_failure_inside_a_good_http_answer_is_seen(
    new_supplier: _NewSupplier, kortrijk: City, code: object, error: type[Exception]
) -> None:
    supplier = new_supplier(lambda *_: (200, _NO_WAIT, _envelope([_location(1)], status_code=code)))
    with pytest.raises(error, match="OCPI status"):
        _fetch(supplier.url, kortrijk)


@pytest.mark.parametrize("body", [b'{"data": []}', b'"data"', b"<html>", b""])
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


@pytest.mark.parametrize("role", ["RECEIVER", "receiver", "NEITHER"])
def test_an_endpoint_that_only_receives_is_not_read(new_supplier: _NewSupplier, kortrijk: City, role: str) -> None:
    supplier = _discovering(new_supplier, ["2.2.1"], role=role)
    with pytest.raises(PermanentSupplierError, match="publishes no locations"):
        _fetch(f"{supplier.url}/versions", kortrijk)


def test_an_endpoint_that_sends_in_small_letters_is_read(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _discovering(new_supplier, ["2.2.1"], role="sender")
    assert _fetch(f"{supplier.url}/versions", kortrijk).tables["locations"].height == 1


def test_an_older_peer_gets_the_token_as_it_is(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _paged(new_supplier, 1)
    _fetch(f"{supplier.url}/locations", kortrijk, TOKEN_ENCODING="raw")
    assert supplier.headers[0]["Authorization"] == "Token example-token"


def test_a_server_that_says_later_is_asked_again(new_supplier: _NewSupplier, kortrijk: City) -> None:
    answers = [_envelope(None, status_code=3001), _envelope(None, status_code=4002), _envelope([_location(1)])]
    supplier = new_supplier(lambda *_: (200, _NO_WAIT, answers.pop(0)))
    assert _fetch(supplier.url, kortrijk).tables["locations"].height == 1


def test_a_server_that_keeps_saying_later_is_asked_five_times_in_all(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    supplier = new_supplier(lambda *_: (200, _NO_WAIT, _envelope(None, status_code=4002)))
    with pytest.raises(TransientSupplierError, match="answered OCPI status 4002, 5 times; the next run tries again"):
        _fetch(supplier.url, kortrijk)
    assert len(supplier.asked) == 5


class _Shrinking:
    """Five locations on pages of two, of which some go after the first page."""

    def __init__(self, gone: dict[int, list[int]], link: str = "offset") -> None:
        self.gone, self.link, self.url, self.asked, self.left = gone, link, "", 0, list(range(5))

    def answer(self, _: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        for number in self.gone.get(self.asked, []):
            self.left.remove(number)
        self.asked += 1
        offset = int(query.get(self.link, 0))
        headers = {"X-Total-Count": str(len(self.left))}
        if offset + _PAGE_SIZE < len(self.left):
            headers["Link"] = f'<{self.url}/locations?{self.link}={offset + _PAGE_SIZE}>; rel="next"'
        return 200, headers, _envelope([_location(number) for number in self.left[offset : offset + _PAGE_SIZE]])


def _shrinking(new_supplier: _NewSupplier, gone: dict[int, list[int]], link: str = "offset") -> Any:  # noqa: ANN401 - idem
    shrinking = _Shrinking(gone, link)
    supplier = new_supplier(shrinking.answer)
    shrinking.url = supplier.url
    return supplier


@pytest.mark.parametrize("gone", [{1: [0]}, {1: [0, 1]}, {1: [0], 2: [1]}, {2: [0, 1, 2]}, {1: [4]}])
def test_when_the_total_falls_the_page_is_asked_again_as_many_places_earlier(
    new_supplier: _NewSupplier, kortrijk: City, gone: dict[int, list[int]]
) -> None:
    supplier = _shrinking(new_supplier, gone)
    delivery = _fetch(f"{supplier.url}/locations", kortrijk)
    stayed = {f"L{number}" for number in range(5)} - {f"L{number}" for each in gone.values() for number in each}
    assert stayed <= set(delivery.tables["locations"]["location_id"])


def test_when_the_total_falls_and_no_page_can_be_asked_earlier_the_whole_list_is_asked_once_more(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    supplier = _shrinking(new_supplier, {1: [0]}, link="after")
    delivery = _fetch(f"{supplier.url}/locations", kortrijk)
    assert delivery.tables["locations"]["location_id"].to_list() == ["L1", "L2", "L3", "L4"]


def test_a_list_that_keeps_falling_is_left_for_the_next_run(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _shrinking(new_supplier, {1: [0], 3: [1]}, link="after")
    with pytest.raises(TransientSupplierError, match="twice"):
        _fetch(f"{supplier.url}/locations", kortrijk)


def _feed(new_supplier: _NewSupplier, body: bytes) -> Any:  # noqa: ANN401 - idem
    return new_supplier(lambda *_: (200, {"Content-Type": "application/gzip"} | _NO_WAIT, body))


@pytest.mark.parametrize("packed", [gzip.compress, bytes])
def test_a_bare_list_is_read_packed_or_not_and_is_always_the_whole_stock(
    new_supplier: _NewSupplier, kortrijk: City, packed: Callable[[bytes], bytes]
) -> None:
    supplier = _feed(new_supplier, packed(json.dumps([_location(1), _location(2)]).encode()))
    first = _fetch(f"{supplier.url}/feed.json.gz", kortrijk)
    again = _fetch(f"{supplier.url}/feed.json.gz", kortrijk, first.memory)
    assert again.tables["locations"]["location_id"].to_list() == ["L1", "L2"]
    assert again.tables["crawls"]["is_full"].to_list() == ["true"]
    assert supplier.asked[-1][1] == {}
    assert again.supplied_at == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_a_packed_list_that_is_broken_off_or_spoilt_waits_for_the_next_run(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    whole = gzip.compress(json.dumps([_location(1)]).encode())
    follows = (whole + b"and more", "broken gzip")
    for body, says in ((whole[:-12], "half a gzip"), (whole[:10] + b"\xff" * 20, "broken gzip"), follows):
        with pytest.raises(TransientSupplierError, match=says):
            _fetch(_feed(new_supplier, body).url, kortrijk)


def test_a_small_file_that_unpacks_to_far_too_much_is_refused(new_supplier: _NewSupplier, kortrijk: City) -> None:
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(201)) + packer.flush()
    with pytest.raises(PermanentSupplierError, match=r"sent \d+ bytes that unpack to more than \d+ MB"):
        _fetch(_feed(new_supplier, bomb).url, kortrijk)


def test_a_list_packed_in_several_members_is_read_whole(new_supplier: _NewSupplier, kortrijk: City) -> None:
    text = json.dumps([_location(1), _location(2)]).encode()
    body = gzip.compress(text[:70]) + gzip.compress(text[70:]) + bytes(512)
    assert _fetch(_feed(new_supplier, body).url, kortrijk).tables["locations"].height == 2


def test_a_second_list_behind_the_first_is_not_lost_in_silence(new_supplier: _NewSupplier, kortrijk: City) -> None:
    body = gzip.compress(json.dumps([_location(1)]).encode()) + gzip.compress(json.dumps([_location(2)]).encode())
    with pytest.raises(PermanentSupplierError, match="not JSON"):
        _fetch(_feed(new_supplier, body).url, kortrijk)


@pytest.mark.parametrize("as_address", [False, True])
def test_a_cursor_is_followed_as_a_token_or_as_an_address(
    new_supplier: _NewSupplier, kortrijk: City, *, as_address: bool
) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if "next" in query:
            return 200, {}, json.dumps({"next": None, "items": [_location(2)]}).encode()
        following = f"{supplier.url}/l?tenant=7&next=b" if as_address else "a b"
        return 200, {}, json.dumps({"next": following, "items": [_location(1)]}).encode()

    supplier.answering = answer
    delivery = _fetch(f"{supplier.url}/l?tenant=7", kortrijk)
    assert delivery.tables["locations"]["location_id"].to_list() == ["L1", "L2"]
    assert supplier.asked[1][1] == {"tenant": "7", "next": "b" if as_address else "a b"}
    assert delivery.tables["crawls"]["is_full"].to_list() == ["true"]


@pytest.mark.parametrize("where", ["Link", "cursor"])
def test_a_next_page_at_an_address_that_cannot_be_read_is_refused(
    new_supplier: _NewSupplier, kortrijk: City, where: str
) -> None:
    link = {"Link": '<http://[>; rel="next"'} if where == "Link" else {}
    body = _envelope([]) if where == "Link" else json.dumps({"next": "http://[", "items": []}).encode()
    supplier = new_supplier(lambda *_: (200, link, body))
    with pytest.raises(PermanentSupplierError, match="address"):
        _fetch(supplier.url, kortrijk)
    assert len(supplier.asked) == 1


def test_a_cursor_that_stays_where_it_is_ends(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (200, {}, json.dumps({"next": "a", "items": []}).encode()))
    with pytest.raises(PermanentSupplierError, match=r"same cursor again, so it does not hear 'next'.*CURSOR"):
        _fetch(supplier.url, kortrijk)


def test_charge_points_cursor_and_header_are_those_that_the_settings_name(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if supplier.headers[-1].get("X-Api-Key") != "example-token":
            return 401, {}, b""
        page = int(query.get("cursor", 0))
        return 200, {}, json.dumps({"next": page + 1 if page < 2 else None, "items": [_location(page)]}).encode()

    supplier.answering = answer
    delivery = _fetch(f"{supplier.url}/l", kortrijk, CURSOR="cursor", TOKEN_HEADER="X-Api-Key")
    assert delivery.tables["locations"]["location_id"].to_list() == ["L0", "L1", "L2"]
    assert "Authorization" not in supplier.headers[0]
    with pytest.raises(PermanentSupplierError, match="401"):
        _fetch(f"{supplier.url}/l", kortrijk, CURSOR="cursor")


_DATEX_XML = b'<?xml version="1.0"?><d2:payload xmlns:d2="http://datex2.eu/schema/3/d2Payload"/>'


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (_DATEX_XML, "DATEX II"),
        (b'{"payload": {"aegiEnergyInfrastructureTablePublication": {}}}', "DATEX II"),
        (b'{"energyInfrastructureTable": [{"energyInfrastructureSite": []}]}', "DATEX II"),
        (b'{"EVSEData": [{"OperatorID": "BE*ABC", "EVSEDataRecord": []}]}', "EVSEData"),
        (b'[{"EVSEDataRecord": [], "OperatorID": "BE*ABC"}]', "EVSEData"),
        (b'{"type": "FeatureCollection", "features": []}', "GeoJSON"),
        (b'[{"type": "Feature", "geometry": {}}]', "GeoJSON"),
    ],
)
def test_another_format_of_charge_points_is_told_by_its_name(
    new_supplier: _NewSupplier, kortrijk: City, body: bytes, named: str
) -> None:
    supplier = new_supplier(lambda *_: (200, {}, body))
    with pytest.raises(PermanentSupplierError, match=f"sends {named}.*, which is not read here"):
        _fetch(supplier.url, kortrijk)


def test_the_real_examples_of_datex_are_told_by_its_name(
    new_supplier: _NewSupplier, kortrijk: City, real_data: Path
) -> None:
    for path in sorted((real_data / "charge_points" / "datex2_afir").glob("*/*_rev2.json")):
        body = path.read_bytes()
        supplier = new_supplier(lambda *_, body=body: (200, {}, body))
        with pytest.raises(PermanentSupplierError, match="sends DATEX II"):
            _fetch(supplier.url, kortrijk)


def test_a_foreign_list_does_not_pass_for_fewer_locations_and_the_next_right_one_is_taken(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier, 20)
    memory = _fetch(operator.url, kortrijk).memory
    foreign = json.dumps([{"station": number, "free": True} for number in range(40)]).encode()
    with pytest.raises(PermanentSupplierError, match="nothing was loaded and the stock stands as it was"):
        _fetch(_feed(new_supplier, foreign).url, kortrijk, memory, FULL_EVERY_DAYS="0")
    assert _fetch(operator.url, kortrijk, memory, FULL_EVERY_DAYS="0").tables["locations"].height == 20


@pytest.mark.parametrize("habit", ["what remains", "size of the page", "overlap"])
def test_charge_points_totals_of_pages_that_show_some_twice_are_right_and_the_next_pull_is_taken(
    new_supplier: _NewSupplier, kortrijk: City, habit: str
) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))
    every, step = [_charging(number, datetime(2026, 11, 1, tzinfo=UTC)) for number in range(130)], 50

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        offset = int(query.get("offset", 0))
        page, left = every[offset : offset + step], len(every) - offset
        said = {"what remains": left, "size of the page": len(page)}.get(habit, len(every))
        following = offset + step - (habit == "overlap")
        more = {"Link": f'<{supplier.url}/l?offset={following}>; rel="next"'} if offset + step < len(every) else {}
        return 200, {"X-Total-Count": str(said)} | more, _envelope(page)

    supplier.answering = answer
    first = _fetch(f"{supplier.url}/l", kortrijk)
    counts = first.tables["crawls"].select("location_count", "evse_count", "is_full").row(0)
    assert counts == ("130", "130", "true")
    assert first.tables["locations"].height == first.tables["locations"]["location_id"].n_unique() == 130
    # and it is not asked for ever to find that out
    assert len(supplier.asked) < 10
    habit = ""
    assert _fetch(f"{supplier.url}/l", kortrijk, first.memory, FULL_EVERY_DAYS="0").tables["locations"].height == 130


def test_a_memory_that_counted_locations_twice_refuses_no_pull_that_names_them_all(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier, 130)
    memory = _fetch(operator.url, kortrijk).memory
    # as a version wrote it that counted what pages showed twice
    earlier = {name: said for name, said in memory.items() if name != "distinct_locations"} | {"locations": 2630}
    again = _fetch(operator.url, kortrijk, earlier, FULL_EVERY_DAYS="0")
    assert (again.tables["locations"].height, again.memory["distinct_locations"]) == (130, 130)


def test_another_shape_than_the_settings_say_is_refused(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _paged(new_supplier, 1)
    assert _fetch(f"{supplier.url}/locations", kortrijk, SHAPE="paged").tables["locations"].height == 1
    with pytest.raises(PermanentSupplierError, match="in the shape paged, not array"):
        _fetch(f"{supplier.url}/locations", kortrijk, SHAPE="array")


# --- windows and the whole stock --------------------------------------------------------------------------------


class _Operator:
    """An operator with a clock and a stock, who answers a question by window as OCPI does."""

    def __init__(self, new_supplier: _NewSupplier, size: int) -> None:
        self.clock = datetime(2026, 11, 1, tzinfo=UTC)
        self.stock = dict.fromkeys(range(size), self.clock)
        self.supplier = new_supplier(self._answer)
        self.url = f"{self.supplier.url}/locations"

    def _answer(self, _: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        since = datetime.fromisoformat(query.get("date_from", "1970-01-01T00:00:00Z"))
        found = [_charging(number, changed) for number, changed in self.stock.items() if changed >= since]
        return 200, {}, _envelope(found, timestamp=self.clock.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _charging(number: int, changed: datetime) -> dict[str, object]:
    moment = changed.strftime("%Y-%m-%dT%H:%M:%SZ")
    evse = {"uid": f"E{number}", "status": "AVAILABLE", "last_updated": moment}
    return _location(number) | {"evses": [evse], "last_updated": moment}


def _is_full(delivery: Any) -> list[str]:  # noqa: ANN401 - idem
    return delivery.tables["crawls"]["is_full"].to_list()


def test_after_a_full_pull_only_changes_are_asked_with_an_overlap_by_the_operators_clock(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier, 4)
    first = _fetch(operator.url, kortrijk)
    assert (_is_full(first), operator.supplier.asked[-1][1]) == (["true"], {})
    operator.clock += timedelta(hours=4)
    operator.stock[2] = operator.clock - timedelta(hours=1)
    second = _fetch(operator.url, kortrijk, first.memory)
    assert operator.supplier.asked[-1][1] == {"date_from": "2026-10-31T23:50:00Z"}
    assert _is_full(second) == ["false"]
    third = _fetch(operator.url, kortrijk, second.memory)
    assert operator.supplier.asked[-1][1] == {"date_from": "2026-11-01T03:50:00Z"}
    # nothing changed in an hour that was noted already: no row at all, so that no batch is written
    assert {name: rows.height for name, rows in third.tables.items()} == dict.fromkeys(third.tables, 0)


def test_an_hour_in_which_nothing_changed_is_noted_once(new_supplier: _NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier, 4)
    operator.clock += timedelta(minutes=20)
    pulled = _fetch(operator.url, kortrijk)
    noted = []
    for _ in range(5):
        operator.clock += timedelta(minutes=25)
        pulled = _fetch(operator.url, kortrijk, pulled.memory)
        crawls = pulled.tables.pop("crawls").select("started_at", "is_full", "location_count", "evse_count")
        assert all(rows.is_empty() for rows in pulled.tables.values())
        noted += crawls.rows()
    assert noted == [
        ("2026-11-01T01:10:00+00:00", "false", "0", "0"),
        ("2026-11-01T02:00:00+00:00", "false", "0", "0"),
    ]


def test_a_pull_that_breaks_off_moves_no_watermark(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _paged(new_supplier, 3)
    good = supplier.answering
    supplier.answering = lambda path, query: good(path, query) if "offset" not in query else (200, {}, b"{")
    # without a delivery there is nothing to remember
    with pytest.raises(PermanentSupplierError, match="not JSON"):
        _fetch(f"{supplier.url}/locations", kortrijk)


def test_the_whole_stock_is_asked_again_when_it_is_due_by_the_operators_clock(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier, 4)
    memory = _fetch(operator.url, kortrijk).memory
    operator.clock += timedelta(days=6, hours=23)
    memory = _fetch(operator.url, kortrijk, memory).memory
    operator.clock += timedelta(hours=1)
    due = _fetch(operator.url, kortrijk, memory)
    assert (_is_full(due), due.tables["locations"].height) == (["true"], 4)
    assert _is_full(_fetch(operator.url, kortrijk, due.memory)) == []  # the same hour
    assert _is_full(_fetch(operator.url, kortrijk, due.memory, FULL_EVERY_DAYS="0")) == ["true"]


@pytest.mark.parametrize("memory", [{}, {"until": "yesterday"}, {"until": "2026-11-01T00:00:00Z", "evse_digests": 7}])
def test_a_lost_memory_costs_a_full_pull_and_nothing_else(
    new_supplier: _NewSupplier, kortrijk: City, memory: dict[str, object]
) -> None:
    operator = _Operator(new_supplier, 4)
    assert _is_full(_fetch(operator.url, kortrijk, memory)) == ["true"]


@pytest.mark.parametrize(("gone", "says"), [(40, "names no EVSE"), (5, "no longer names 5 of 40 EVSEs")])
def test_a_mass_disappearance_is_refused_and_the_stock_stands(
    new_supplier: _NewSupplier, kortrijk: City, gone: int, says: str
) -> None:
    operator = _Operator(new_supplier, 40)
    memory = _fetch(operator.url, kortrijk).memory
    operator.clock += timedelta(days=8)
    operator.stock = dict(list(operator.stock.items())[gone:])
    with pytest.raises(PermanentSupplierError, match=says):
        _fetch(operator.url, kortrijk, memory)
    accepted = _fetch(operator.url, kortrijk, memory, ACCEPT_SHRINK_ON="2026-11-09")
    assert accepted.tables["locations"].height == 40 - gone
    with pytest.raises(PermanentSupplierError, match="ACCEPT_SHRINK_ON"):
        _fetch(operator.url, kortrijk, memory, ACCEPT_SHRINK_ON="2026-11-08")


def test_locations_without_points_may_not_disappear_in_mass_either(new_supplier: _NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier, 10)
    memory = _fetch(operator.url, kortrijk).memory
    with pytest.raises(PermanentSupplierError, match="names 10 locations where it named 40"):
        _fetch(operator.url, kortrijk, memory | {"distinct_locations": 40}, FULL_EVERY_DAYS="0")


def test_a_tenth_that_goes_is_taken_in(new_supplier: _NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier, 40)
    memory = _fetch(operator.url, kortrijk).memory
    operator.clock += timedelta(days=8)
    operator.stock = dict(list(operator.stock.items())[4:])
    assert _fetch(operator.url, kortrijk, memory).tables["locations"].height == 36


def test_what_came_in_a_window_is_missed_too_when_it_disappears(new_supplier: _NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier, 20)
    memory = _fetch(operator.url, kortrijk).memory
    operator.clock += timedelta(hours=4)
    operator.stock |= dict.fromkeys(range(20, 40), operator.clock)
    memory = _fetch(operator.url, kortrijk, memory).memory
    operator.clock += timedelta(days=8)
    operator.stock = dict(list(operator.stock.items())[:20])
    with pytest.raises(PermanentSupplierError, match="no longer names 20 of 40 EVSEs"):
        _fetch(operator.url, kortrijk, memory)


# --- the examples of the specification --------------------------------------------------------------------------


def _example(real_data: Path, version: str, name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((real_data / "charge_points" / "ocpi_spec" / version / name).read_bytes())


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_every_location_of_the_specification_is_taken_in_or_withheld_as_private(
    new_supplier: _NewSupplier, kortrijk: City, real_data: Path, version: str
) -> None:
    folder = real_data / "charge_points" / "ocpi_spec" / version
    names = ["location_example.json", "location_example_parking_garage_opening_hours.json"]
    names += sorted(path.name for path in folder.glob("location_example_uc*.json"))
    examples = [_example(real_data, version, name) for name in names]
    supplier = new_supplier(lambda *_: (200, {}, _envelope(examples)))
    delivery = _fetch(supplier.url, kortrijk)
    contract = all_contracts()["charge_points"]
    for name, rows in delivery.tables.items():
        assert split(rows, contract.table(name), kortrijk, delivery.supplied_at).quarantined.height == 0
    private = [each for each in examples if not each["publish"] or each.get("parking_type") == "ON_DRIVEWAY"]
    assert private
    assert delivery.tables["locations"].height == len(examples) - len(private)
    assert sum(delivery.withheld.values()) >= len(private)


@pytest.mark.parametrize(
    "odd",
    [{"country_code": [1]}, {"party_id": {"a": 1}}, {"id": ["L1"]}, {"last_updated": "9999-12-31T23:59:59-14:00"}],
)
def test_an_object_that_is_named_by_no_text_is_refused_alone(
    new_supplier: _NewSupplier, kortrijk: City, odd: dict[str, object]
) -> None:
    supplier = new_supplier(lambda *_: (200, {}, _envelope([_location(1) | odd, _location(2)])))
    sent = _fetch(supplier.url, kortrijk).tables["locations"]
    assert sent.height == 2
    assert sent["location_id"].to_list()[1] == "L2"


def test_versions_that_are_no_text_are_passed_over(new_supplier: _NewSupplier, kortrijk: City) -> None:
    versions = _envelope([{"version": ["2.2.1"], "url": "x"}, {"version": {}}])
    supplier = new_supplier(lambda *_: (200, {}, versions))
    with pytest.raises(PermanentSupplierError, match=r"offers neither OCPI 2\.3\.0 nor 2\.2\.1"):
        _fetch(f"{supplier.url}/versions", kortrijk)
