"""The client against suppliers that are slow, broken, lying or curious."""

import gzip
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ingestion.errors import PermanentSupplierError, SupplierError, TransientSupplierError
from ingestion.http import Answer, Budget, Client, LaterError, Trail, address
from tests.ingestion.hostile import certificate, dripping, line

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


def test_half_a_character_is_a_question_mark_and_a_whole_one_stays(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {}, rb'{"\ud83d": ["\udca1 \ud83d\udca1", 1.5, "\\ud83d"]}'))
    assert _client(supplier.url).get(supplier.url).json() == {"?": ["? \U0001f4a1", 1.5, "\\ud83d"]}


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
    with pytest.raises(PermanentSupplierError, match=r"sent \d+ bytes that unpack to more than \d+ MB"):
        _client(supplier.url).get(supplier.url)
    assert len(supplier.asked) == 1


def test_an_answer_without_end_stops_at_the_limit(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {}, (bytes(2**20) for _ in range(220))))
    with pytest.raises(PermanentSupplierError, match="more than 200 MB"):
        _client(supplier.url).get(supplier.url)


def test_an_answer_that_repeats_itself_is_no_bomb(new_supplier: _NewSupplier) -> None:
    rows = b",".join(b'{"at":"2026-11-%02dT%02d:15:00Z","kwh":0.000}' % (n % 30, n % 24) for n in range(200_000))
    supplier = new_supplier(lambda *_: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"[" + rows + b"]")))
    said = _client(supplier.url).get(supplier.url).json()
    assert isinstance(said, list)
    assert len(said) == 200_000


def test_a_reader_that_says_later_is_a_try_in_the_one_layer_there_is(new_supplier: _NewSupplier) -> None:
    answers = [(500, {}, b""), (200, {"Retry-After": "7"}, b"busy"), (200, {}, b"busy"), (200, {}, b"done")]
    supplier = new_supplier(lambda *_: answers.pop(0))
    waited: list[float] = []
    client = Client(supplier.url, sleep=waited.append)
    assert client.read(supplier.url, _patient) == 4
    assert (len(waited), waited[1]) == (3, 7)
    always = new_supplier(lambda *_: (200, {}, b"busy"))
    with pytest.raises(TransientSupplierError, match="said it was busy, 5 times; the next run tries again"):
        _client(always.url).read(always.url, _patient)
    assert len(always.asked) == 5


def _patient(answer: Answer) -> int:
    if answer.body == b"busy":
        raise LaterError("said it was busy")
    return len(answer.body)


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


def test_a_form_is_posted_with_its_secrets_and_the_same_patience(new_supplier: _NewSupplier) -> None:
    numbers = count()
    supplier = new_supplier(lambda *_: (503 if next(numbers) == 0 else 200, {}, b'{"access_token": "t"}'))
    answer = _client(supplier.url).post_form(f"{supplier.url}/token", {"grant": "x", "secret": SecretStr(_SECRET)})
    assert answer.json() == {"access_token": "t"}
    assert supplier.forms == [{"grant": "x", "secret": _SECRET}] * 2


def test_each_origin_gets_its_own_credentials_and_no_other(new_supplier: _NewSupplier) -> None:
    first, second, third = (new_supplier(lambda *_: (200, {}, b"[]")) for _ in range(3))
    with Client(first.url, {"X-Key": "one"}, sleep=_no_wait, also={f"{second.url}/api": {"X-Key": "two"}}) as client:
        client.get(f"{first.url}/a")
        client.get(f"{second.url}/b")
        with pytest.raises(PermanentSupplierError, match="outside"):
            client.get(f"{third.url}/c")
    assert [headers["X-Key"] for headers in (*first.headers, *second.headers)] == ["one", "two"]
    assert third.asked == []


@pytest.mark.parametrize(
    ("before", "dripped"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n[1, 2", b" "),
    ],
    ids=["silence", "headers", "the length of a chunk", "chunks", "a body without a length"],
)
def test_nothing_that_drips_outlasts_the_deadline(before: bytes, dripped: bytes) -> None:
    started = time.monotonic()
    with line(dripping(before, dripped)) as url, pytest.raises(TransientSupplierError, match="too long"):
        _client(url, deadline_seconds=0.1).get(url)
    assert time.monotonic() - started < 3


def test_a_crawl_ends_with_its_budget_however_many_pages_follow(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {}, iter([time.sleep(0.05) or b"[]"])))
    budget = Budget(0.3)
    client = Client(supplier.url, sleep=_no_wait, budget=budget)
    with pytest.raises(TransientSupplierError, match=r"the whole crawl took longer than 0\.3 s|too long"):
        deque(client.get(f"{supplier.url}/{page}") for page in range(1000))
    assert 0 < len(supplier.asked) < 20
    with pytest.raises(TransientSupplierError, match="whole crawl"):
        Client(supplier.url, sleep=_no_wait, budget=budget).get(supplier.url)


def test_no_pause_is_longer_than_what_is_left_of_the_budget(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (429, {"Retry-After": "50"}, b""))
    waited: list[float] = []
    with pytest.raises(TransientSupplierError):
        Client(supplier.url, sleep=waited.append, budget=Budget(5)).get(supplier.url)
    assert all(pause <= 5 for pause in waited)


@pytest.mark.parametrize("days", [1, -1])
def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(tmp_path: Path, days: int) -> None:
    heard: list[bytes] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate(tmp_path, datetime.now(UTC) + timedelta(days=days)))

    def talk(line: socket.socket) -> None:
        with tls.wrap_socket(line, server_side=True) as safe:
            heard.append(safe.recv(65536))

    with line(talk) as url, pytest.raises(PermanentSupplierError, match="certificate") as refused:
        _client(f"https{url[4:]}").get(f"https{url[4:]}", {"key": _SECRET})
    assert "nothing was sent" in str(refused.value)
    assert "self-signed" in str(refused.value)
    assert not any(heard)


@pytest.mark.parametrize("token", [f"{_SECRET}\nX: y", f"{_SECRET}é€"])
def test_a_token_no_header_can_carry_is_refused_without_showing_it(new_supplier: _NewSupplier, token: str) -> None:
    supplier = new_supplier(lambda *_: (200, {}, b"[]"))
    with pytest.raises(PermanentSupplierError, match="cannot be sent") as refused:
        Client(supplier.url, {"Authorization": token}, sleep=_no_wait).get(supplier.url)
    _require_silence(refused.value)
    assert supplier.asked == []


def _require_silence(error: BaseException | None) -> None:
    """The secret is nowhere in an exception, nor in one behind it, nor in what they hold."""
    while error is not None:
        for text in (str(error), repr(error), repr(error.args), repr(vars(error))):
            assert _SECRET not in text
        assert error.__cause__ is None
        error = error.__context__


_FAULTS: list[tuple[int, dict[str, str], bytes]] = [
    *(
        (status, {"X-Echo": _SECRET}, _SECRET.encode())
        for status in (204, 301, 304, 400, 401, 403, 404, 418, 429, 500, 599)
    ),
    (200, {}, _SECRET.encode()),
    (200, {}, b"<html>" + _SECRET.encode()),
    (200, {}, b"\xff" + _SECRET.encode()),
    (200, {"Content-Encoding": "gzip"}, _SECRET.encode()),
    (200, {"Content-Encoding": "gzip"}, gzip.compress(_SECRET.encode() * 99, mtime=0)[:-9]),
    (200, {"Content-Length": "9999"}, _SECRET.encode()),
    (200, {"Transfer-Encoding": "chunked"}, _SECRET.encode()),
    (302, {"Location": f"http://{_SECRET}.example/?k={_SECRET}"}, b""),
    (429, {"Retry-After": _SECRET}, b""),
]


@pytest.mark.parametrize("fault", _FAULTS, ids=str)
def test_no_error_shows_a_secret_whatever_goes_wrong(
    new_supplier: _NewSupplier, fault: tuple[int, dict[str, str], bytes]
) -> None:
    supplier = new_supplier(lambda *_: fault)
    url = supplier.url.replace("http://", f"http://user:{_SECRET}@")
    for ask in (
        lambda client: client.get(f"{url}/x?api_key={_SECRET}", {"token": _SECRET}).json(),
        lambda client: client.post_form(f"{url}/x?api_key={_SECRET}", {"secret": SecretStr(_SECRET)}).json(),
    ):
        with pytest.raises(SupplierError) as failed:
            ask(_client(url))
        _require_silence(failed.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "https://127.0.0.1:9", "http://[", "http://a b", "http://x:99999", f"x://{_SECRET}@y"]
)
def test_no_error_about_an_address_shows_a_secret(url: str) -> None:
    with pytest.raises(SupplierError) as failed:
        _client(url).get(f"{url}/?key={_SECRET}", {"key": _SECRET})
    _require_silence(failed.value)


def test_a_supplier_that_leads_in_circles_or_nowhere_is_stopped() -> None:
    trail = Trail("https://city.example/list", most_pages=3)
    trail.step("?page=1")
    trail.step("?page=2")
    with pytest.raises(PermanentSupplierError, match="already asked"):
        trail.step("?page=1")
    trail.step("?page=3")
    with pytest.raises(PermanentSupplierError, match="more than 3 pages"):
        trail.step("?page=4")
