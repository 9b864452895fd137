"""Open311 over real HTTP: the formats, pages and refusals of the servers that cities really have."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from ingestion.delivery import digest_of
from ingestion.demo_city.suppliers import open311_supplier
from ingestion.door import without_identifiers_in
from ingestion.errors import PermanentSupplierError
from ingestion.http import Answer, Client
from ingestion.protocols.open311 import Desk, midnight, open_desk
from ingestion.protocols.open311_body import rows_of
from ingestion.protocols.open311_memory import Memory, Seen, is_gone, remembered

_NewSupplier = Callable[[Callable[..., Any]], Any]
_CLOCK = datetime(2026, 11, 23, 6, tzinfo=UTC)
_DAY = timedelta(days=1)
_WINDOW = ("start_date", "end_date")


def _answer(body: str | bytes) -> Answer:
    content = body.encode() if isinstance(body, str) else body
    return Answer("http://desk/requests.json", 200, {}, content, _CLOCK)


def _request(number: int, asked: datetime, **more: object) -> dict[str, Any]:
    return {
        "service_request_id": f"R{number}",
        "status": "open",
        "requested_datetime": asked.isoformat(),
        "updated_datetime": asked.isoformat(),
        **more,
    }


@contextmanager
def _desk(url: str, key: str = "t") -> Iterator[Desk]:
    with Client(url) as client:
        yield open_desk(client, url, SecretStr(key))


# the body of an answer


def test_json_and_xml_give_the_same_rows_whatever_the_address_says() -> None:
    xml = "<service_requests><request><service_request_id>7</service_request_id><status/></request></service_requests>"
    assert rows_of(_answer(xml)) == [{"service_request_id": "7", "status": None}]
    assert rows_of(_answer('[{"service_request_id": "7", "status": null}]')) == rows_of(_answer(xml))


def test_a_byte_order_mark_a_declaration_and_a_namespace_are_no_content() -> None:
    row = "<a:request><a:Status> open </a:Status></a:request>"
    xml = f'\ufeff<?xml version="1.0"?><a:requests xmlns:a="urn:x">{row}</a:requests>'
    assert rows_of(_answer(xml)) == [{"status": "open"}]


@pytest.mark.parametrize("wrapper", ["service_requests", "requests", "service_request_updates"])
def test_a_wrapped_list_is_a_list(wrapper: str) -> None:
    assert rows_of(_answer(json.dumps({wrapper: [{"status": "open"}]}))) == [{"status": "open"}]


def test_one_request_that_comes_alone_is_a_list_of_one() -> None:
    assert rows_of(_answer('{"service_request_id": 7}')) == [{"service_request_id": 7}]


def test_what_is_nested_in_xml_stays_nested_and_repeated_fields_become_a_list() -> None:
    xml = """<requests><request><extended_attributes><channel>web</channel></extended_attributes>
        <note>a</note><note>b</note><note>c</note></request></requests>"""
    assert rows_of(_answer(xml)) == [{"extended_attributes": {"channel": "web"}, "note": ["a", "b", "c"]}]


def test_xml_that_is_nested_without_end_is_cut_off() -> None:
    deep = "<a>" * 400 + "x" + "</a>" * 400
    (row,) = rows_of(_answer(f"<requests><request>{deep}</request></requests>"))
    assert json.dumps(row).count("{") <= 4


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ],
)
def test_an_entity_or_a_document_type_is_never_read(declaration: str) -> None:
    with pytest.raises(PermanentSupplierError, match="document type or an entity"):
        rows_of(_answer(f'<?xml version="1.0"?>{declaration}<requests><request>x</request></requests>'))


@pytest.mark.parametrize(
    "body",
    [
        "<html><body>Log in</body></html>",
        "<!DOCTYPE html><html></html>",
        "<requests><request>",
        "<errors><error><code>404</code><description>jan@voorbeeld.be</description></error></errors>",
        '{"errors": []}',
        "[1, 2",
        "",
        '"text"',
        b"<requests>\xff\xfe</requests>",
    ],
)
def test_what_is_no_list_is_refused_without_repeating_it(body: str | bytes) -> None:
    with pytest.raises(PermanentSupplierError) as refused:
        rows_of(_answer(body))
    assert "http://desk/requests.json" in str(refused.value)
    assert "jan@" not in str(refused.value)


def test_xml_without_measure_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(PermanentSupplierError, match="MB of XML"):
        rows_of(_answer(b"<requests>" + b" " * (17 * 1024 * 1024) + b"</requests>"))


def test_a_code_with_leading_zeros_that_was_not_quoted_keeps_them() -> None:
    """The standard's own sample writes `"service_code":001`, which is no JSON."""
    sample = '[{"service_request_id":638344,"service_code":001,"description":"zei \\":002}\\" tegen mij"}]'
    (row,) = rows_of(_answer(sample))
    assert row == {"service_request_id": 638344, "service_code": "001", "description": 'zei ":002}" tegen mij'}


def test_the_samples_of_the_schema_validator_parse(real_data: Path) -> None:
    folder = real_data / "tickets_1777" / "georeport_schemas"
    many = rows_of(_answer((folder / "requests_many.xml").read_bytes()))
    assert [row["service_request_id"] for row in many if isinstance(row, dict)] == ["101005420892", "101005420894"]
    services = rows_of(_answer((folder / "services_giessen.xml").read_bytes()))
    assert {"service_code": "015", "type": "realtime"}.items() <= dict(services[0]).items()  # type: ignore[call-overload]


# the desk


@pytest.fixture
def both() -> Iterator[str]:
    requests = [
        _request(number, _CLOCK - _DAY * number, updated_datetime=(_CLOCK - _DAY).isoformat()) for number in range(1, 9)
    ]
    updates = [
        {
            "update_id": number,
            "service_request_id": f"R{number}",
            "updated_datetime": (_CLOCK - _DAY * number).isoformat(),
        }
        for number in range(1, 9)
    ]
    with open311_supplier(requests, api_key="t", clock=_CLOCK, updates=updates) as url:
        yield url


def test_a_server_that_offers_xml_only_is_asked_in_xml(new_supplier: _NewSupplier) -> None:
    def answer(path: str, _: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path.endswith(".json"):
            return 404, {}, b""
        return (
            200,
            {},
            b"<service_requests><request><service_request_id>7</service_request_id></request></service_requests>",
        )

    supplier = new_supplier(answer)
    with _desk(supplier.url) as desk:
        assert desk.requests_format == ".xml"
        assert desk.requests_named(["7"]) == [{"service_request_id": "7"}]


def test_an_address_that_is_nothing_at_all_is_refused(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (404, {}, b""))
    with pytest.raises(PermanentSupplierError, match=r"requests\.xml.*404"), _desk(supplier.url):
        pass
    assert [path for path, _ in supplier.asked] == ["/requests.json", "/requests.xml"]


def _named(
    there: Sequence[str], limit: int = 1000, *, absent: int = 200, most_at_once: int = 1000
) -> Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes]]:
    """A server that is asked by number: `absent` is its answer when one of them is not there."""

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        asked = query.get("service_request_id", "").split(",")
        found = [key for key in asked if key in there] if len(asked) <= most_at_once else []
        is_refused = absent != 200 and len(found) < len(asked) and "service_request_id" in query
        rows = [{"service_request_id": key} for key in found[:limit]]
        return absent if is_refused else 200, {}, json.dumps(rows).encode()

    return answer


def _found(desk: Desk, ids: Sequence[str]) -> list[str]:
    return sorted(str(row["service_request_id"]) for row in desk.requests_named(ids) if isinstance(row, dict))


def test_requests_are_found_by_number_fifty_at_a_time(new_supplier: _NewSupplier) -> None:
    numbers = [str(number) for number in range(120)]
    supplier = new_supplier(_named(numbers))
    with _desk(supplier.url) as desk:
        assert _found(desk, numbers) == sorted(numbers)
    asked = [query["service_request_id"].split(",") for _, query in supplier.asked[1:]]
    assert [len(ids) for ids in asked] == [50, 50, 20]


@pytest.mark.parametrize("limit", [1, 10, 30, 49])
def test_a_server_with_fewer_answers_than_numbers_loses_none(new_supplier: _NewSupplier, limit: int) -> None:
    numbers = [str(number) for number in range(100, 160)]
    supplier = new_supplier(_named(numbers[:-1], limit))
    with _desk(supplier.url) as desk:
        assert _found(desk, numbers) == numbers[:-1]


@pytest.mark.parametrize("absent", [200, 404, 410])
def test_a_request_that_is_no_longer_there_keeps_no_other_from_being_found(
    new_supplier: _NewSupplier, absent: int
) -> None:
    supplier = new_supplier(_named(["a", "c"], absent=absent))
    with _desk(supplier.url) as desk:
        assert _found(desk, ["a", "b", "c"]) == ["a", "c"]
        assert _found(desk, ["b"]) == []


def test_one_request_that_is_gone_costs_a_dozen_questions_and_not_fifty(new_supplier: _NewSupplier) -> None:
    numbers = [str(number) for number in range(100, 150)]
    supplier = new_supplier(_named([key for key in numbers if key != "117"], absent=404))
    with _desk(supplier.url) as desk:
        assert len(_found(desk, numbers)) == 49
    assert len(supplier.asked[1:]) < 14


def test_a_server_that_takes_one_number_at_a_time_is_asked_so(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(_named(["a", "b", "c"], most_at_once=1))
    with _desk(supplier.url) as desk:
        assert _found(desk, ["a", "b", "c"]) == ["a", "b", "c"]


def test_a_server_that_does_not_listen_to_numbers_brings_only_those_asked(new_supplier: _NewSupplier) -> None:
    everything = [{"service_request_id": number} for number in (7, 8, 9)]
    supplier = new_supplier(lambda *_: (200, {}, json.dumps(everything).encode()))
    with _desk(supplier.url) as desk:
        assert _found(desk, ["8", "10"]) == ["8"]


def test_the_reply_log_is_read_in_windows_that_join(both: str) -> None:
    with _desk(both) as desk:
        updates = desk.updates_between(_CLOCK - _DAY * 90, _CLOCK)
    assert updates is not None
    assert sorted(str(row["update_id"]) for row in updates if isinstance(row, dict)) == [str(n) for n in range(1, 9)]


def test_a_server_without_a_reply_log_says_none(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda path, _: (404 if "updates" in path else 200, {}, b"[]"))
    with _desk(supplier.url) as desk:
        assert desk.updates_between(_CLOCK - _DAY, _CLOCK) is None


def test_a_reply_log_that_is_gone_half_way_is_not_taken_for_none(new_supplier: _NewSupplier) -> None:
    def answer(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        is_later = query.get("start_date", "") > "2026-11-01"
        return 404 if "updates" in path and (is_later or path.endswith(".json")) else 200, {}, b"[]"

    supplier = new_supplier(answer)
    with _desk(supplier.url) as desk, pytest.raises(PermanentSupplierError, match=r"servicerequestupdates\.xml.*404"):
        desk.updates_between(_CLOCK - _DAY * 40, _CLOCK)


def test_a_reply_log_that_fails_is_not_taken_for_none(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda path, _: (403 if "updates" in path else 200, {}, b"[]"))
    with _desk(supplier.url) as desk, pytest.raises(PermanentSupplierError, match="credentials"):
        desk.updates_between(_CLOCK - _DAY, _CLOCK)


def test_a_filter_on_change_is_found_out_by_a_moment_to_come(both: str, new_supplier: _NewSupplier) -> None:
    deaf = new_supplier(lambda *_: (200, {}, b'[{"service_request_id": 1}]'))
    strict = new_supplier(
        lambda _, query: (400 if "updated_after" in query else 200, {}, b'[{"service_request_id": 1}]')
    )
    empty = new_supplier(lambda *_: (200, {}, b"[]"))
    with _desk(both) as desk:
        assert desk.filters_on_change()
    for supplier in (deaf, strict, empty):
        with _desk(supplier.url) as desk:
            assert not desk.filters_on_change()


def test_the_requests_changed_after_a_moment_are_all_brought(both: str) -> None:
    with _desk(both) as desk:
        assert len(desk.requests_changed(_CLOCK - _DAY * 2) or []) == 8
        assert desk.requests_changed(_CLOCK) == []


def test_a_window_that_is_full_is_halved_until_it_is_whole(new_supplier: _NewSupplier) -> None:
    moments = [_CLOCK - timedelta(minutes=10) * number for number in range(1, 401)]
    rows = [_request(number, moment) for number, moment in enumerate(moments)]

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        start, end = (
            datetime.fromisoformat(query.get(name, "2026-01-01T00:00:00Z")) for name in ("start_date", "end_date")
        )
        inside = [row for row, moment in zip(rows, moments, strict=True) if start <= moment < end]
        return 200, {}, json.dumps(inside[:50]).encode()

    supplier = new_supplier(answer)
    with _desk(supplier.url) as desk:
        found = desk.requests_between(_CLOCK - _DAY * 3, _CLOCK)
    assert len({row["service_request_id"] for row in found if isinstance(row, dict)}) == 400
    windows = sorted({(query["start_date"], query["end_date"]) for _, query in supplier.asked[1:]})
    assert len(windows) > 8


def _pageless(
    rows: list[dict[str, Any]], limit: int, hidden: Collection[str] = (), field: str = "requested_datetime"
) -> Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes]]:
    """A server that knows no pages, cuts at its limit in the order of `rows`, and then leaves out what is hidden."""

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        start, end = (datetime.fromisoformat(query.get(name, "2026-01-01T00:00:00Z")) for name in _WINDOW)
        inside = [row for row in rows if start <= datetime.fromisoformat(row[field]) < end][:limit]
        return 200, {}, json.dumps([row for row in inside if row["service_request_id"] not in hidden]).encode()

    return answer


@pytest.mark.parametrize("order", ["newest first", "oldest first", "by chance"])
@pytest.mark.parametrize("spread", [timedelta(minutes=2), timedelta(minutes=90)], ids=["one day", "a month"])
def test_a_window_cut_short_is_known_even_when_private_requests_make_its_count_odd(
    new_supplier: _NewSupplier, order: str, spread: timedelta
) -> None:
    rows = [_request(number, _CLOCK - spread * (number + 1)) for number in range(400)]
    rows.sort(key=lambda row: str(row["requested_datetime"]), reverse=order == "newest first")
    if order == "by chance":
        Random(20261129).shuffle(rows)  # noqa: S311 - the same order at every run
    hidden = {f"R{number}" for number in range(5, 400, 40)}
    supplier = new_supplier(_pageless(rows, 50, hidden))
    with _desk(supplier.url) as desk:
        found = desk.requests_between(_CLOCK - _DAY * 29, _CLOCK)
    assert {row["service_request_id"] for row in found if isinstance(row, dict)} == {
        row["service_request_id"] for row in rows
    } - hidden


@pytest.mark.parametrize("count", [120, 200])
def test_a_window_that_is_whole_is_not_cut_up_by_a_server_without_pages(new_supplier: _NewSupplier, count: int) -> None:
    rows = [_request(number, _CLOCK - timedelta(hours=3) * number) for number in range(1, count + 1)]
    supplier = new_supplier(_pageless(rows, 1000))
    with _desk(supplier.url) as desk:
        assert len(desk.requests_between(_CLOCK - _DAY * 29, _CLOCK)) == count
    # the window, the page that repeats it, and its two halves; and again for what is closed
    assert len(supplier.asked[1:]) == 8


def test_requests_that_came_in_one_minute_are_read_by_a_server_without_pages(new_supplier: _NewSupplier) -> None:
    rows = [_request(number, _CLOCK - _DAY) for number in range(120)]
    supplier = new_supplier(_pageless(rows, 1000))
    with _desk(supplier.url) as desk:
        assert len(desk.requests_between(_CLOCK - _DAY * 29, _CLOCK)) == 120


@pytest.mark.parametrize("count", [120, 150])
def test_a_server_that_hears_neither_page_nor_moment_is_not_asked_for_ever(
    new_supplier: _NewSupplier, count: int
) -> None:
    everything = json.dumps([_request(number, _CLOCK - _DAY) for number in range(count)]).encode()
    supplier = new_supplier(lambda *_: (200, {}, everything))
    with _desk(supplier.url) as desk:
        if count % 50:
            assert len(desk.requests_between(_CLOCK - _DAY * 29, _CLOCK)) == count
        else:
            with pytest.raises(PermanentSupplierError, match="knows no pages"):
                desk.requests_between(_CLOCK - _DAY * 29, _CLOCK)
    assert len(supplier.asked) < 60


def _paged(pages: list[list[dict[str, Any]]], beyond: int = 200) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """A server with these pages; `beyond` is what it answers after the last."""

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        number = int(query.get("page", "1"))
        if number > len(pages):
            return beyond, {}, b"[]"
        return 200, {}, json.dumps(pages[number - 1]).encode()

    return answer


def test_a_page_past_the_last_that_does_not_exist_is_the_end(new_supplier: _NewSupplier) -> None:
    rows = [_request(number, _CLOCK - _DAY) | {"update_id": number} for number in range(4)]
    supplier = new_supplier(_paged([rows[:2], rows[2:]], beyond=404))
    with _desk(supplier.url) as desk:
        assert desk.requests_between(_CLOCK - _DAY * 2, _CLOCK) == rows
        # and the log is there: its second page is not the log
        assert desk.updates_between(_CLOCK - _DAY * 2, _CLOCK) == rows


def test_a_request_that_slides_to_the_next_page_while_it_is_read_comes_once(new_supplier: _NewSupplier) -> None:
    rows = [_request(number, _CLOCK - _DAY) for number in range(5)]
    supplier = new_supplier(_paged([rows[:3], rows[2:]]))
    with _desk(supplier.url) as desk:
        assert desk.requests_between(_CLOCK - _DAY * 2, _CLOCK) == rows


def test_the_last_page_that_is_answered_again_and_again_is_the_end(new_supplier: _NewSupplier) -> None:
    rows = [_request(number, _CLOCK - _DAY) for number in range(6)]

    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps(rows[:3] if query["page"] == "1" else rows[3:]).encode()

    supplier = new_supplier(answer)
    with _desk(supplier.url) as desk:
        assert desk.requests_between(_CLOCK - _DAY * 2, _CLOCK) == rows


def test_several_updates_of_one_request_are_several_pages_of_updates(new_supplier: _NewSupplier) -> None:
    moment = (_CLOCK - _DAY).isoformat()
    updates = [{"update_id": n, "service_request_id": "R1", "updated_datetime": moment} for n in range(250)]
    supplier = new_supplier(_paged([updates[:100], updates[100:198], updates[198:]]))
    with _desk(supplier.url) as desk:
        assert desk.updates_between(_CLOCK - _DAY * 2, _CLOCK) == updates


def test_windows_of_thirty_days_join_at_whole_seconds(new_supplier: _NewSupplier) -> None:
    supplier = new_supplier(lambda *_: (200, {}, b"[]"))
    with _desk(supplier.url) as desk:
        desk.requests_between(_CLOCK - _DAY * 100, _CLOCK)
    windows = [(query["start_date"], query["end_date"]) for _, query in supplier.asked[1:] if "status" not in query]
    assert len(windows) == 4
    assert all(end == start for (_, end), (start, _) in pairwise(windows))


def test_a_city_day_begins_at_its_own_midnight() -> None:
    assert midnight(date(2026, 7, 1), "Europe/Brussels") == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert midnight(date(2026, 12, 1), "Europe/Brussels") == datetime(2026, 11, 30, 23, tzinfo=UTC)


def test_a_key_is_in_no_message_and_in_no_description_of_the_desk(both: str) -> None:
    with _desk(both) as desk:
        assert "'t'" not in repr(desk)
    with pytest.raises(PermanentSupplierError) as refused, _desk(both, "canary-8812"):
        pass
    assert "canary-8812" not in str(refused.value)


# the memory


def _seen(days_ago: int, *, is_open: bool = False, missed: int = 0) -> Seen:
    return Seen(f"d{days_ago}", (_CLOCK - _DAY * days_ago).isoformat(), is_open, missed)


def test_a_memory_survives_the_state_and_says_the_same() -> None:
    memory = Memory("2026-05-01", _CLOCK - _DAY * 200, _CLOCK, _CLOCK, {"R1": _seen(1), "": _seen(2)}, {"u": "d"})
    kept = json.loads(json.dumps(memory.as_json()))
    assert remembered(kept, date(2026, 5, 1)) == memory


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"since": "2026-05-01"},
        {"since": None, "requests": {"R1": ["too", "short"]}},
        {"since": None, "requests": 7},
        *(
            Memory().as_json() | {"requests": {"R1": ["digest", asked, True, missed]}}
            for asked, missed in [("gisteren", 0), (7, 0), ("", "vaak"), ("", None)]
        ),
    ],
)
def test_a_memory_that_is_lost_or_damaged_is_an_empty_one(kept: dict[str, object]) -> None:
    assert remembered(kept, None) == Memory()


def test_another_first_day_starts_afresh() -> None:
    memory = Memory("2026-05-01", requests={"R1": _seen(1)})
    assert remembered(memory.as_json(), date(2026, 1, 1)) == Memory("2026-01-01")


def test_older_requests_are_asked_again_only_while_they_are_open() -> None:
    memory = Memory(requests={"old": _seen(200, is_open=True), "done": _seen(200), "young": _seen(5, is_open=True)})
    assert memory.older_and_open(_CLOCK - _DAY * 120) == ["old"]


def test_a_request_is_gone_after_two_full_readings_without_it() -> None:
    start = _CLOCK - _DAY * 120
    once = Memory(requests={"R1": _seen(3), "R2": _seen(4), "old": _seen(300)}).missing_from({"R2"}, start)
    assert {key: is_gone(seen) for key, seen in once.items()} == {"R1": False}
    twice = Memory(requests=once).missing_from(set(), start)
    assert is_gone(twice["R1"])


def test_when_a_tenth_vanishes_at_once_the_supplier_is_doubted_and_nothing_is_withdrawn() -> None:
    memory = Memory(requests={f"R{number}": _seen(3) for number in range(300)})
    with pytest.raises(PermanentSupplierError, match="31 of 300 requests are no longer there"):
        memory.missing_from([f"R{number}" for number in range(31, 300)], _CLOCK - _DAY * 120)
    assert len(memory.missing_from([f"R{number}" for number in range(30, 300)], _CLOCK - _DAY * 120)) == 30


def test_a_digest_is_the_same_in_every_run_and_differs_by_content() -> None:
    assert digest_of({"b": 1, "a": "é"}) == digest_of({"a": "é", "b": 1})
    assert digest_of(["a"]) != digest_of(["b"])


def test_no_digest_is_taken_for_a_telephone_number_by_the_door() -> None:
    digests = [digest_of(number) for number in range(20_000)]
    assert without_identifiers_in(digests) == digests
