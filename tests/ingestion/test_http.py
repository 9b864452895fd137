"""The client against suppliers that are slow, broken, lying or curious."""

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from ingestion.errors import PermanentSupplierError, SupplierError, TransientSupplierError
from ingestion.http import Client, address

_SECRET = "canary-7f3a"
_NewSupplier = Callable[[Callable[..., Any]], Any]


def _no_wait(_: float) -> None:
    """Tests do not wait between tries."""


def _client(url: str, **more: float) -> Client:
    return Client(url, {"Authorization": f"Token {_SECRET}"}, sleep=_no_wait, **more)


def test_an_answer_carries_the_body_the_headers_and_the_suppliers_clock(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {"X-Total-Count": "3"}, b'{"a": 1}'))
    answer = _client(supplier.url).get(f"{supplier.url}/list", {"key": _SECRET})
    assert answer.json() == {"a": 1}
    assert answer.headers["x-total-count"] == "3"
    assert answer.server_time == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert answer.url_without_query == f"{supplier.url}/list"
    assert supplier.asked == [("/list", {"key": _SECRET})]


def test_a_compressed_answer_is_unpacked(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"[1, 2]" + b" " * 300_000)))
    assert _client(supplier.url).get(supplier.url).json() == [1, 2]


def test_a_supplier_that_recovers_is_asked_again(new_supplier: _NewSupplier) -> None:
    numbers = count()
    supplier = new_supplier(lambda *_: (500 if next(numbers) < 3 else 200, {}, b"[]"))
    assert _client(supplier.url).get(supplier.url).json() == []
    assert len(supplier.asked) == 4


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_supplier_that_stays_down_is_transient_after_five_tries(new_supplier: _NewSupplier, status: int) -> None:
    supplier = new_supplier(lambda *_: (status, {}, b""))
    with pytest.raises(TransientSupplierError, match=f"HTTP {status}, 5 times"):
        _client(supplier.url).get(supplier.url)
    assert len(supplier.asked) == 5


@pytest.mark.parametrize(
    ("header", "longest", "shortest"),
    [
        ("7", 7, 7),
        ("86400", 60, 60),
        ("Mon, 23 Nov 2026 06:00:09 GMT", 9, 9),
        ("Mon, 23 Nov 2020 06:00:09 GMT", 0, 0),
        ("soon", 0.5, 0),
        ("99999999999999999999999999", 60, 60),
    ],
)
def test_the_suppliers_own_waiting_time_is_honoured_up_to_a_minute(
    new_supplier: _NewSupplier, header: str, longest: float, shortest: float
) -> None:
    numbers = count()
    supplier = new_supplier(lambda *_: (429 if next(numbers) == 0 else 200, {"Retry-After": header}, b"[]"))
    waited: list[float] = []
    Client(supplier.url, sleep=waited.append).get(supplier.url)
    assert len(waited) == 1
    assert shortest <= waited[0] <= longest


def test_the_pauses_grow_and_differ(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (500, {}, b""))
    waited: list[float] = []
    for _ in range(3):
        with pytest.raises(TransientSupplierError):
            Client(supplier.url, sleep=waited.append).get(supplier.url)
    assert len(waited) == 12
    assert all(pause <= 0.5 * 2 ** (place % 4) for place, pause in enumerate(waited))
    assert len(set(waited)) == 12


@pytest.mark.parametrize(
    ("status", "says"), [(401, "credentials"), (403, "credentials"), (400, "HTTP 400"), (404, "HTTP 404")]
)
def test_a_refusal_is_permanent_and_asked_once(new_supplier: _NewSupplier, status: int, says: str) -> None:
    supplier = new_supplier(lambda *_: (status, {}, b""))
    with pytest.raises(PermanentSupplierError, match=says):
        _client(supplier.url).get(supplier.url)
    assert len(supplier.asked) == 1


def test_a_redirect_is_refused_and_never_followed(new_supplier: _NewSupplier) -> None:
    other = new_supplier(lambda *_: (200, {}, b"[]"))
    supplier = new_supplier(lambda *_: (302, {"Location": f"{other.url}/?key={_SECRET}"}, b""))
    with pytest.raises(PermanentSupplierError, match="redirects") as refused:
        _client(supplier.url).get(supplier.url)
    assert other.asked == []
    assert _SECRET not in str(refused.value)


def test_another_origin_is_never_asked(new_supplier: _NewSupplier) -> None:
    other = new_supplier(lambda *_: (200, {}, b"[]"))
    supplier = new_supplier(lambda *_: (200, {}, b"[]"))
    with pytest.raises(PermanentSupplierError, match="outside"):
        _client(supplier.url).get(f"{other.url}/next?page=2")
    assert other.asked == []


def test_the_origin_ignores_case_and_the_default_port() -> None:
    with pytest.raises(TransientSupplierError):
        # nothing listens there: the origin check let it pass, which is the point
        Client("http://127.0.0.1:9", sleep=_no_wait).get("HTTP://127.0.0.1:9/x")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "http://host:port/", "nothing"])
def test_only_http_addresses_are_taken(url: str) -> None:
    with pytest.raises(PermanentSupplierError, match="no http"):
        Client(url)


def test_a_page_of_html_with_status_200_is_permanent(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {"Content-Type": "text/html"}, b"\n<!doctype html><p>Log in"))
    with pytest.raises(PermanentSupplierError, match="HTML"):
        _client(supplier.url).get(supplier.url).json()


@pytest.mark.parametrize("body", [b"", b'{"a": ', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_permanent(new_supplier: _NewSupplier, body: bytes) -> None:
    supplier = new_supplier(lambda *_: (200, {}, body))
    with pytest.raises(PermanentSupplierError, match="not JSON"):
        _client(supplier.url).get(supplier.url).json()


def test_a_body_shorter_than_promised_is_transient(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {"Content-Length": "1000"}, b"[1, 2"))
    with pytest.raises(TransientSupplierError, match="broke off"):
        _client(supplier.url).get(supplier.url)
    assert len(supplier.asked) == 5


def test_a_supplier_that_drips_does_not_pass_the_deadline(new_supplier: _NewSupplier) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(200):
            time.sleep(0.02)
            yield b" "

    supplier = new_supplier(lambda *_: (200, {}, drip()))
    started = time.monotonic()
    with pytest.raises(TransientSupplierError, match="too long"):
        _client(supplier.url, deadline_seconds=0.1).get(supplier.url)
    assert time.monotonic() - started < 3


def test_a_bomb_stops_at_the_limit(new_supplier: _NewSupplier) -> None:
    bomb = gzip.compress(b"0" * (201 * 2**20), compresslevel=1)
    supplier = new_supplier(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb))
    with pytest.raises(PermanentSupplierError, match="more than 200 MB"):
        _client(supplier.url).get(supplier.url)


def test_no_message_shows_a_secret(new_supplier: _NewSupplier) -> None:
    replies = [(401, {}, b""), (404, {}, b""), (500, {}, b""), (302, {"Location": "/"}, b""), (200, {}, b"<html>")]
    for reply in replies:
        supplier = new_supplier(lambda *_, reply=reply: reply)
        with pytest.raises(SupplierError) as failed:
            _client(supplier.url).get(f"{supplier.url}/x?api_key={_SECRET}").json()
        assert _SECRET not in str(failed.value)
        assert failed.value.__cause__ is None
    with pytest.raises(TransientSupplierError) as failed:
        _client("http://127.0.0.1:9").get("http://127.0.0.1:9/x", {"api_key": _SECRET})
    assert _SECRET not in str(failed.value)


def test_an_address_is_shown_without_user_and_query() -> None:
    assert address(f"https://user:{_SECRET}@city.example:8443/a/b?key={_SECRET}#x") == "https://city.example:8443/a/b"
