"""1777 tickets as their source brings them: over real HTTP, by what changed, and from a bulk file."""

import json
import time
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from contracts.cities.profile import City
from contracts.gate import split
from contracts.sources.tickets_1777 import EVENTS, REQUESTS
from ingestion.areas import Areas
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.demo_city.suppliers import open311_supplier
from ingestion.errors import PermanentSupplierError, UnreadableFileError
from ingestion.http import Answer, Client
from ingestion.protocols.open311_body import rows_of
from ingestion.protocols.open311_memory import remembered
from ingestion.protocols.spreadsheet import workbook_bytes
from ingestion.sources import tickets_1777
from tests.ingestion.asking import endpoint_of

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
    new_supplier: _NewSupplier,
    tickets: list[dict[str, object]],
    limit: int = 1000,
    *,
    pages: bool = True,
    hidden: Collection[int] = (),
) -> Any:  # noqa: ANN401 - a fixture's own type
    """A GeoReport server over these tickets, with its own limit and perhaps without pages.

    What is hidden (a private request) is left out after the page was cut, so that pages differ in length.
    """
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
        page = [ticket for ticket in inside[first : first + size] if ticket["service_request_id"] not in hidden]
        return 200, {}, json.dumps(page).encode()

    return new_supplier(answer)


def _ids(url: str, city: City, **settings: str) -> list[str]:
    endpoint = endpoint_of(tickets_1777.SOURCE, f"{url}/open311", **settings)
    delivery = tickets_1777.SOURCE.fetch(endpoint, Context(city))
    ids: list[str] = delivery.tables["requests"]["service_request_id"].to_list()
    return ids


def test_all_pages_of_all_windows_are_read_once(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, _tickets(3000, timedelta(minutes=40)))
    assert sorted(map(int, _ids(supplier.url, kortrijk))) == list(range(3000))


def test_no_window_is_longer_than_thirty_days_and_they_join(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, [])
    _ids(supplier.url, kortrijk, SINCE="2026-09-01")
    windows = [
        (query["start_date"], query["end_date"])
        for path, query in supplier.asked
        if "start_date" in query and path.endswith("requests.json") and "status" not in query
    ]
    # the city's midnight, not that of Greenwich
    assert windows[0][0] == "2026-08-31T22:00:00Z"
    assert windows[-1][1] == "2026-11-23T06:00:00Z"
    assert all(end == start for (_, end), (start, _) in pairwise(windows))
    spans = [datetime.fromisoformat(end) - datetime.fromisoformat(start) for start, end in windows]
    assert max(spans) == timedelta(days=30)


def test_by_default_a_third_of_a_year_is_asked(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, [])
    _ids(supplier.url, kortrijk)
    starts = [query["start_date"] for path, query in supplier.asked if "start_date" in query and "requests" in path]
    assert starts[0] == "2026-07-26T06:00:00Z"


@pytest.mark.parametrize("limit", [50, 70, 200])
def test_a_server_with_smaller_pages_loses_nothing(new_supplier: _NewSupplier, kortrijk: City, limit: int) -> None:
    supplier = _serve(new_supplier, _tickets(400, timedelta(hours=2)), limit)
    assert len(set(_ids(supplier.url, kortrijk))) == 400


@pytest.mark.parametrize("hidden", [(60, 61, 130), (0, 49), (399,), tuple(range(3, 400, 7))])
def test_pages_that_private_requests_make_shorter_lose_nothing(
    new_supplier: _NewSupplier, kortrijk: City, hidden: tuple[int, ...]
) -> None:
    supplier = _serve(new_supplier, _tickets(400, timedelta(minutes=30)), limit=50, hidden=hidden)
    found = sorted(map(int, _ids(supplier.url, kortrijk)))
    assert found == [number for number in range(400) if number not in hidden]


def test_a_server_without_pages_is_asked_by_shorter_windows(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, _tickets(2500, timedelta(minutes=30)), pages=False)
    assert sorted(map(int, _ids(supplier.url, kortrijk))) == list(range(2500))


def test_a_server_that_can_never_be_read_whole_is_refused_with_the_hour(
    new_supplier: _NewSupplier, kortrijk: City
) -> None:
    supplier = _serve(new_supplier, _tickets(3000, timedelta(seconds=1)), pages=False)
    with pytest.raises(PermanentSupplierError, match=r"2026-11-23 05:\d\d UTC short"):
        _ids(supplier.url, kortrijk, SINCE="2026-11-23")


def test_a_delivery_speaks_until_the_suppliers_own_time(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = _serve(new_supplier, _tickets(1, timedelta(hours=1)))
    delivery = tickets_1777.SOURCE.fetch(
        endpoint_of(tickets_1777.SOURCE, f"{supplier.url}/open311/?jurisdiction_id=kortrijk.be"), Context(kortrijk)
    )
    assert delivery.supplied_at == delivery.complete_until == _SERVER_TIME
    assert delivery.origin == f"{supplier.url}/open311/"
    assert all(query["jurisdiction_id"] == "kortrijk.be" for _, query in supplier.asked)


def test_the_key_is_sent_and_never_shown(new_supplier: _NewSupplier, kortrijk: City) -> None:
    supplier = new_supplier(lambda *_: (403, {}, b""))
    with pytest.raises(PermanentSupplierError) as refused:
        _ids(supplier.url, kortrijk, TOKEN=_SECRET)
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
    ids = _ids(supplier.url, kortrijk, SINCE="2026-06-14")
    assert len(set(ids)) == len(ids) == 58_000
    assert time.monotonic() - started < 20


# what changed since the last pull

_ASKED = "2026-11-10T09:00:00+01:00"
_LATER = _SERVER_TIME + timedelta(days=2)


def _ticket(key: str, **more: object) -> dict[str, Any]:
    return {"service_request_id": key, "status": "open", "requested_datetime": _ASKED, **more}


def _pull(
    tickets: list[dict[str, Any]],
    city: City,
    before: Delivery | None = None,
    updates: list[dict[str, Any]] | None = None,
    clock: datetime = _SERVER_TIME,
    **settings: str,
) -> Delivery:
    """One pull from a demo desk, with the memory that an earlier pull left."""
    memory = json.loads(json.dumps(before.memory)) if before else {}
    with open311_supplier(tickets, api_key="t", clock=clock, updates=updates) as url:
        endpoint = endpoint_of(tickets_1777.SOURCE, url, TOKEN="t", SINCE="2026-06-01", **settings)
        return tickets_1777.SOURCE.fetch(endpoint, Context(city, memory))


def _keys(delivery: Delivery) -> list[str]:
    return sorted(delivery.tables["requests"]["service_request_id"].to_list())


def _kinds(delivery: Delivery) -> list[tuple[str, str]]:
    return sorted(delivery.tables["events"].select("service_request_id", "event_type").rows())


def test_the_second_pull_brings_only_what_changed(kortrijk: City) -> None:
    first = _pull([_ticket("a"), _ticket("b")], kortrijk)
    changed = _ticket("b", status="closed", updated_datetime="2026-11-23T09:00:00+01:00")
    second = _pull([_ticket("a"), changed, _ticket("c")], kortrijk, first, clock=_LATER)
    assert (_keys(first), _keys(second)) == (["a", "b"], ["b", "c"])
    assert second.complete_until == _LATER


def test_a_pull_that_finds_nothing_new_brings_no_row_and_speaks_until_now(kortrijk: City) -> None:
    first = _pull([_ticket("a")], kortrijk, updates=[])
    second = _pull([_ticket("a")], kortrijk, first, updates=[], clock=_LATER)
    assert all(frame.is_empty() for frame in second.tables.values())
    assert second.complete_until == _LATER


def test_a_request_that_two_windows_show_is_not_changed_when_one_does(kortrijk: City) -> None:
    first = _pull([_ticket("a"), _ticket("a")], kortrijk)
    assert _keys(_pull([_ticket("a")], kortrijk, first, clock=_LATER)) == []


def test_an_old_open_request_that_is_deleted_leaves_the_others_and_is_withdrawn_after_two_readings(
    kortrijk: City, new_supplier: _NewSupplier
) -> None:
    """The standard answers 404 to a question in which one number is not known."""
    old = [_ticket(key, requested_datetime="2026-06-02T09:00:00+02:00") for key in ("gone", "old")]
    pulls = [_pull([*old, _ticket("a")], kortrijk)]

    def answer(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        asked = query.get("service_request_id", "").split(",")
        if "gone" in asked or "updates" in path:
            return 404, {}, b'[{"code": 404, "description": "not found"}]'
        rows = [row for row in old if row["service_request_id"] in asked]
        return 200, {}, json.dumps(rows or [_ticket("a")]).encode()

    supplier = new_supplier(answer)
    for _ in range(2):
        memory = json.loads(json.dumps(pulls[-1].memory))
        pulls.append(
            tickets_1777.SOURCE.fetch(
                endpoint_of(tickets_1777.SOURCE, supplier.url, SINCE="2026-06-01"), Context(kortrijk, memory)
            )
        )
    assert [_kinds(pull) for pull in pulls] == [[], [], [("gone", "withdrawn")]]
    assert [_keys(pull) for pull in pulls] == [["a", "gone", "old"], [], []]


def test_losing_the_memory_costs_a_full_pull_and_nothing_else(kortrijk: City) -> None:
    _pull([_ticket("a"), _ticket("b")], kortrijk)
    assert _keys(_pull([_ticket("a"), _ticket("b")], kortrijk, clock=_LATER)) == ["a", "b"]


def test_an_old_request_that_was_open_is_asked_by_its_number_until_it_closes(kortrijk: City) -> None:
    old = _ticket("old", requested_datetime="2026-06-02T09:00:00+02:00")
    closed = {**old, "status": "closed", "updated_datetime": "2026-11-23T09:00:00+01:00"}
    first = _pull([old, _ticket("a")], kortrijk)
    second = _pull([closed, _ticket("a")], kortrijk, first, clock=_LATER)
    assert _keys(second) == ["old"]
    # closed and older than the window: nobody asks for it any more
    third = _pull([_ticket("a")], kortrijk, second, clock=_LATER + timedelta(days=2))
    assert (_keys(third), _kinds(third)) == ([], [])


def test_an_update_about_an_old_closed_request_brings_that_request_along(kortrijk: City) -> None:
    old = _ticket("old", requested_datetime="2026-06-02T09:00:00+02:00", status="closed", updated_datetime=_ASKED)
    before_the_first_day = {**old, "service_request_id": "older", "requested_datetime": "2026-01-02T09:00:00+01:00"}
    first = _pull([old], kortrijk, updates=[])
    updates = [
        {
            "update_id": key,
            "service_request_id": key,
            "status": "REOPENED",
            "updated_datetime": "2026-11-24T09:00:00+01:00",
        }
        for key in ("old", "older")
    ]
    reopened = {**old, "status": "open", "updated_datetime": "2026-11-24T09:00:00+01:00"}
    second = _pull([reopened, before_the_first_day], kortrijk, first, updates=updates, clock=_LATER)
    assert _keys(second) == ["old"]
    assert _kinds(second) == [("old", "reopened"), ("older", "reopened")]


def test_a_request_that_two_full_readings_miss_is_withdrawn_and_one_that_returns_is_delivered_again(
    kortrijk: City,
) -> None:
    tickets = [_ticket("a"), _ticket("b")]
    pulls = [_pull(tickets, kortrijk)]
    for days, there in enumerate((tickets[:1], tickets[:1], tickets), start=1):
        pulls.append(_pull(there, kortrijk, pulls[-1], clock=_SERVER_TIME + timedelta(days=days)))
    assert [_kinds(pull) for pull in pulls] == [[], [], [("b", "withdrawn")], []]
    assert _keys(pulls[3]) == ["b"]


def test_a_server_that_suddenly_has_nothing_withdraws_nothing(kortrijk: City) -> None:
    first = _pull([_ticket(f"t{number}") for number in range(60)], kortrijk)
    with pytest.raises(PermanentSupplierError, match="60 of 60 requests are no longer there"):
        _pull([], kortrijk, first, clock=_LATER)


def test_where_changes_are_told_only_they_are_asked_and_once_a_day_everything(kortrijk: City) -> None:
    first = _pull([_ticket("a", updated_datetime=_ASKED), _ticket("silent", updated_datetime=_ASKED)], kortrijk)
    soon, tomorrow = _SERVER_TIME + timedelta(hours=2), _SERVER_TIME + timedelta(days=1)
    # one change that the server tells, and one without a moment of change, that it does not
    told = _ticket("a", service_code="S", updated_datetime="2026-11-23T08:30:00+01:00")
    untold = _ticket("silent", service_code="S", updated_datetime=_ASKED)
    second = _pull([told, untold], kortrijk, first, clock=soon)
    third = _pull([told, untold], kortrijk, second, clock=tomorrow)
    assert (_keys(second), _keys(third)) == (["a"], ["silent"])


def test_a_change_of_a_request_from_before_the_first_day_is_neither_delivered_nor_missed_later(kortrijk: City) -> None:
    recent = _ticket("a", updated_datetime=_ASKED)
    changed = "2026-11-23T08:30:00+01:00"
    older = _ticket("older", requested_datetime="2026-01-02T09:00:00+01:00", updated_datetime=changed)
    pulls = [_pull([recent], kortrijk, updates=[])]
    for hours in (2, 24, 49):
        clock = _SERVER_TIME + timedelta(hours=hours)
        pulls.append(_pull([recent, older], kortrijk, pulls[-1], updates=[], clock=clock))
    assert [_keys(pull) for pull in pulls] == [["a"], [], [], []]
    assert not any(_kinds(pull) for pull in pulls)


def test_a_number_that_the_door_takes_for_a_telephone_number_is_never_withdrawn() -> None:
    seen = {"[verwijderd]": ["d", "", True, 1], "a": ["d", "", True, 0]}
    content = {"since": None, "requests": seen, "updates": {}}
    memory = remembered(content | dict.fromkeys(("first_moment", "complete_until", "reread_at")), None)
    assert set(memory.missing_from([], _SERVER_TIME)) == {"a"}


def test_a_filter_on_change_that_cannot_be_trusted_can_be_switched_off(kortrijk: City) -> None:
    tickets = [_ticket("a", updated_datetime=_ASKED)]
    first = _pull(tickets, kortrijk, UPDATED_AFTER="0")
    untold = [{**tickets[0], "service_code": "S"}]
    assert _keys(_pull(untold, kortrijk, first, clock=_SERVER_TIME + timedelta(hours=1), UPDATED_AFTER="0")) == ["a"]


def test_a_request_without_a_number_is_not_let_in_and_counted_while_it_has_only_a_token(kortrijk: City) -> None:
    pending = {"token": "12345", "requested_datetime": _ASKED, "status": "open"}
    first = _pull([_ticket("a"), pending], kortrijk)
    assert _keys(first) == ["a"]
    assert dict(first.withheld) == {tickets_1777.PENDING: 1}
    assert _keys(_pull([_ticket("a"), _ticket("b")], kortrijk, first, clock=_LATER)) == ["b"]


def test_a_row_that_is_refused_comes_once_and_again_when_it_is_repaired(kortrijk: City) -> None:
    bad = _ticket("a", status="in behandeling")
    first = _pull([bad], kortrijk)
    assert _keys(_pull([bad], kortrijk, first, clock=_LATER)) == []
    assert _keys(_pull([_ticket("a")], kortrijk, first, clock=_LATER)) == ["a"]


def test_a_closed_row_that_says_no_legible_moment_comes_once_too(kortrijk: City, new_supplier: _NewSupplier) -> None:
    bad = _ticket("a", status="closed", requested_datetime="gisteren")
    supplier = new_supplier(lambda path, _: (404 if "updates" in path else 200, {}, json.dumps([bad]).encode()))
    endpoint = endpoint_of(tickets_1777.SOURCE, supplier.url, SINCE="2026-06-01")
    first = tickets_1777.SOURCE.fetch(endpoint, Context(kortrijk))
    second = tickets_1777.SOURCE.fetch(endpoint, Context(kortrijk, json.loads(json.dumps(first.memory))))
    assert (set(_keys(first)), _keys(second)) == ({"a"}, [])


@pytest.mark.parametrize("answer", [200, 404])
def test_where_no_request_can_be_asked_by_number_the_older_ones_are_neither_missed_nor_forgotten(
    kortrijk: City, new_supplier: _NewSupplier, answer: int
) -> None:
    old = _ticket("old", requested_datetime="2026-06-02T09:00:00+02:00")
    pulls = [_pull([old, _ticket("a")], kortrijk)]

    def deaf(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if "updates" in path:
            return 404, {}, b""
        return (answer, {}, b"[]") if "service_request_id" in query else (200, {}, json.dumps([_ticket("a")]).encode())

    endpoint = endpoint_of(tickets_1777.SOURCE, new_supplier(deaf).url, SINCE="2026-06-01")
    for _ in range(3):
        memory = json.loads(json.dumps(pulls[-1].memory))
        pulls.append(tickets_1777.SOURCE.fetch(endpoint, Context(kortrijk, memory)))
    assert not any(_kinds(pull) for pull in pulls)
    assert remembered(pulls[-1].memory or {}, date(2026, 6, 1)).requests["old"].missed == 0
    (said,) = pulls[-1].warnings
    assert "1 older open requests" in said


def test_a_pull_that_breaks_off_leaves_the_memory_as_it_was(kortrijk: City, new_supplier: _NewSupplier) -> None:
    """The memory travels with the delivery: no delivery, no memory."""
    first = _pull([_ticket("a")], kortrijk)
    supplier = new_supplier(lambda _, query: (200 if "start_date" not in query else 403, {}, b"[]"))
    memory = dict(first.memory or {})
    with pytest.raises(PermanentSupplierError):
        tickets_1777.SOURCE.fetch(
            endpoint_of(tickets_1777.SOURCE, supplier.url, SINCE="2026-06-01"), Context(kortrijk, memory)
        )
    assert memory == first.memory


# the reply log


def _update(number: int, status: str, said: str = "", **more: object) -> dict[str, Any]:
    at = f"2026-11-12T09:{number:02d}:00+01:00"
    return {
        "update_id": number,
        "service_request_id": "a",
        "status": status,
        "updated_datetime": at,
        "description": said,
        **more,
    }


@pytest.mark.parametrize(
    ("update", "kinds"),
    [
        (_update(1, "OPEN"), ["status"]),
        (_update(1, "IN_PROGRESS", "Wij komen kijken."), ["replied"]),
        (_update(1, "OPEN", "Wij kregen uw melding.", external_status_code="auto-ack"), ["auto_ack"]),
        (_update(1, "CLOSED"), ["closed"]),
        (_update(1, "CLOSED", "Het is opgeruimd."), ["closed", "replied"]),
        (_update(1, "Fixed - council"), ["closed"]),
        (_update(1, "NO_FURTHER_ACTION", "Dit is privé."), ["closed", "replied"]),
        (_update(1, "REOPENED"), ["reopened"]),
        (_update(1, "DUPLICATE"), ["duplicate"]),
        (_update(1, "Closed - Duplicate"), ["duplicate"]),
        (_update(1, "Ingetrokken"), ["withdrawn"]),
        (_update(1, "OPEN", "Het ligt er nog.", actor_role="citizen"), ["status"]),
    ],
)
def test_what_an_update_says_is_known_by_its_state_its_mark_and_whether_it_holds_a_text(
    update: dict[str, Any], kinds: list[str]
) -> None:
    assert [event["event_type"] for event in tickets_1777.events_of(update)] == kinds


def test_a_supplier_may_mark_its_acknowledgements_by_a_code_of_its_own(kortrijk: City) -> None:
    update = _update(1, "OPEN", "Bedankt!", external_status_code="ONTV 01")
    plain = _pull([_ticket("a")], kortrijk, updates=[update])
    marked = _pull([_ticket("a")], kortrijk, updates=[update], AUTO_ACK="x, ontv 01")
    assert (_kinds(plain), _kinds(marked)) == ([("a", "replied")], [("a", "auto_ack")])


def test_an_update_that_comes_twice_is_one_event_and_its_text_stays_out(kortrijk: City) -> None:
    said = _update(1, "CLOSED", "Beste Jan, bel mij op 0478 12 34 56")
    first = _pull([_ticket("a")], kortrijk, updates=[said, said])
    found = split(first.tables["events"], EVENTS, kortrijk)
    assert (found.accepted.height, found.duplicate) == (2, 2)
    assert "Jan" not in str(first.tables["events"].rows())
    later = _pull([_ticket("a")], kortrijk, first, updates=[said, said], clock=_SERVER_TIME + timedelta(hours=1))
    assert _kinds(later) == []


def test_the_last_two_days_of_the_log_are_read_again_for_what_was_written_late(kortrijk: City) -> None:
    near = _update(1, "CLOSED", "Klaar.") | {"updated_datetime": "2026-11-22T09:00:00+01:00"}
    first = _pull([_ticket("a")], kortrijk, updates=[])
    assert _kinds(_pull([_ticket("a")], kortrijk, first, updates=[near], clock=_LATER)) == [
        ("a", "closed"),
        ("a", "replied"),
    ]


@pytest.mark.parametrize("blank", ["   ", "\n", "\u00a0"])
def test_a_blank_text_is_no_answer_and_no_text(blank: str) -> None:
    assert [event["event_type"] for event in tickets_1777.events_of(_update(1, "OPEN", blank))] == ["status"]
    assert tickets_1777.flatten([_ticket("a", description=blank)])["has_text"].to_list() == ["false"]


def test_updates_without_a_number_are_refused_and_never_taken_for_one(kortrijk: City) -> None:
    said = [_update(number, "CLOSED", "Klaar.") | {"update_id": None} for number in (1, 2)]
    found = split(_pull([_ticket("a")], kortrijk, updates=said).tables["events"], EVENTS, kortrijk)
    assert (found.accepted.height, found.superseded) == (0, 0)
    assert {tuple(reasons) for reasons in found.quarantined["reasons"]} == {("event_id: is missing",)}


def test_a_name_where_a_role_should_stand_is_refused_and_written_nowhere(kortrijk: City) -> None:
    said = _update(1, "CLOSED", "Klaar.", actor_role="Jan Peeters")
    events = _pull([_ticket("a")], kortrijk, updates=[said]).tables["events"]
    assert split(events, EVENTS, kortrijk).accepted.is_empty()
    assert "jan" not in str(events.rows()).lower()


def test_notes_under_a_request_are_events_without_their_words(kortrijk: City) -> None:
    notes = [
        {"datetime": _ASKED, "type": "request_opened", "summary": "Jan heeft geschreven"},
        {"datetime": "2026-11-11T09:00:00+01:00", "type": "request_closed", "description": "Jan weet het"},
        {"datetime": "2026-11-12T09:00:00+01:00", "type": "reply", "description": "Beste Jan"},
    ]
    delivery = _pull([_ticket("a", extended_attributes={"notes": notes})], kortrijk)
    assert _kinds(delivery) == [("a", "closed"), ("a", "received"), ("a", "replied")]
    assert split(delivery.tables["events"], EVENTS, kortrijk).accepted.height == 3
    assert "Jan" not in str([frame.rows() for frame in delivery.tables.values()])


def test_the_notes_of_chicago_are_known_and_what_follows_on_closes_nothing(kortrijk: City) -> None:
    kinds = ("opened", "activity", "follow_on_created", "follow_on_closed", "closed")
    notes = [{"datetime": f"2026-11-1{day}T09:00:00+01:00", "type": kind} for day, kind in enumerate(kinds)]
    events = _pull([_ticket("a", extended_attributes={"notes": notes})], kortrijk).tables["events"]
    assert events["event_type"].to_list() == ["received", "status", "status", "status", "closed"]


def _lists_open_unless_asked(tickets: list[dict[str, Any]], *, hears_numbers: bool = True) -> Callable[..., Any]:
    def answer(_: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if "service_request_id" in query:
            wanted = query["service_request_id"].split(",") if hears_numbers else []
            return 200, {}, json.dumps([each for each in tickets if each["service_request_id"] in wanted]).encode()
        wanted = query.get("status", "open").split(",")
        start, end = (datetime.fromisoformat(query.get(name, "2026-11-23")) for name in ("start_date", "end_date"))
        found = [
            each
            for each in tickets
            if each["status"] in wanted
            and query.get("page") == "1"
            and ("start_date" not in query or start <= datetime.fromisoformat(each["requested_datetime"]) < end)
        ]
        return 200, {}, json.dumps(found).encode()

    return answer


def test_tickets_default_open_of_a_server_withdraws_none_that_was_answered(
    kortrijk: City, new_supplier: _NewSupplier
) -> None:
    tickets = [_ticket(f"t{number}", updated_datetime=_ASKED) for number in range(30)]
    supplier = new_supplier(_lists_open_unless_asked(tickets))
    first = tickets_1777.SOURCE.fetch(endpoint_of(tickets_1777.SOURCE, supplier.url), Context(kortrijk))
    for each in tickets:
        each |= {"status": "closed", "updated_datetime": "2026-11-12T09:00:00+01:00"}
    second = tickets_1777.SOURCE.fetch(
        endpoint_of(tickets_1777.SOURCE, supplier.url), Context(kortrijk, json.loads(json.dumps(first.memory)))
    )
    assert second.tables["requests"]["status"].to_list() == ["closed"] * 30
    third = tickets_1777.SOURCE.fetch(
        endpoint_of(tickets_1777.SOURCE, supplier.url), Context(kortrijk, json.loads(json.dumps(second.memory)))
    )
    assert (third.tables["requests"].height, _kinds(third)) == (0, [])


def test_a_question_that_no_window_shows_any_more_is_asked_by_its_number_before_it_is_missed(
    kortrijk: City, new_supplier: _NewSupplier
) -> None:
    tickets = [_ticket(f"t{number}") for number in range(30)]
    supplier = new_supplier(_lists_open_unless_asked(tickets))
    first = tickets_1777.SOURCE.fetch(endpoint_of(tickets_1777.SOURCE, supplier.url), Context(kortrijk))
    for each in tickets:
        # listed by no filter, and given by its number
        each |= {"status": "resolved", "updated_datetime": "2026-11-12T09:00:00+01:00"}
    second = tickets_1777.SOURCE.fetch(
        endpoint_of(tickets_1777.SOURCE, supplier.url), Context(kortrijk, json.loads(json.dumps(first.memory)))
    )
    accepted = split(second.tables["requests"], REQUESTS, kortrijk).accepted
    assert accepted["status"].to_list() == ["closed"] * 30


def test_moments_before_the_question_and_words_that_nobody_knows_are_told(kortrijk: City) -> None:
    early = _ticket("a", updated_datetime="2026-11-10T08:59:33+01:00")
    delivery = _pull([early, _ticket("b", status="sluimert"), _ticket("c", status="Received")], kortrijk)
    accepted = split(delivery.tables["requests"], REQUESTS, kortrijk).accepted
    assert accepted.sort("service_request_id")["status_description"].to_list() == [None, "sluimert", "received"]
    assert any("1 requests changed or closed before they were asked" in said for said in delivery.warnings)
    assert any("1 requests stand in a state that is not known here" in said for said in delivery.warnings)


# what a citizen wrote and where they stood

_SQUARE = Areas({"sector": {"34022A00-": ([(3.2, 50.8), (3.3, 50.8), (3.3, 50.9), (3.2, 50.9)],)}})


def test_a_coordinate_becomes_a_sector_and_a_text_a_yes() -> None:
    inside = _ticket("a", lat="50,85", long=3.25, description="Mijn naam is Jan", address="Grote Markt 54")
    outside = _ticket("b", lat=51.05, long=3.72, description="")
    frame = tickets_1777.flatten([inside, outside, _ticket("c")], _SQUARE)
    assert frame.select("sector_id", "has_text").rows() == [("34022A00-", "true"), (None, "false"), (None, None)]
    assert frame.select("lat", "long", "description", "address").null_count().row(0) == (3, 3, 3, 3)


def test_without_boundaries_a_coordinate_is_only_forgotten() -> None:
    frame = tickets_1777.flatten([_ticket("a", lat=50.85, long=3.25)])
    assert frame["sector_id"].to_list() == [None]
    assert "50.85" not in str(frame.rows())


def test_what_an_extension_tells_is_read_in_json_and_in_xml_alike(kortrijk: City) -> None:
    extended = {"channel": "Website", "duplicate": True, "parent_service_request_id": 638344, "first_line": False}
    row = _ticket("a", extended_attributes=extended, external_status_code="In behandeling", status_notes="Jan komt")
    with open311_supplier([row], api_key="t", clock=_SERVER_TIME) as url, Client(url) as client:
        found = [
            rows_of(client.get(f"{url}/requests{ending}", {"api_key": "t", "service_request_id": "a"}))
            for ending in (".json", ".xml")
        ]
    frames = [tickets_1777.flatten(rows).drop("line", "status_notes") for rows in found]
    assert frames[0].equals(frames[1])
    accepted = split(tickets_1777.flatten(found[1]), REQUESTS, kortrijk).accepted.row(0, named=True)
    assert accepted["channel"] == "web"
    assert accepted["duplicate_of"] == "638344"
    assert accepted["status_description"] == "in behandeling"
    assert accepted["is_first_line"] is False


@pytest.mark.parametrize(
    "said",
    [
        "Jan Peeters van de Markt belde dat hij later komt",
        "Jan Peeters belt terug",
        "Jan Peeters",
        "in behandeling bij Jan",
        "jan.peeters@voorbeeld.be",
        "0478/12.34.56",
        "closed by An",
        "a" * 41,
    ],
)
def test_a_state_that_may_be_a_person_s_words_stays_out(said: str) -> None:
    frame = tickets_1777.flatten([_ticket("a", status_description=said)])
    assert frame["status_description"].to_list() == [None]


@pytest.mark.parametrize(
    "said", ["In behandeling", "IN_PROGRESS", "Spam", "fixed - council", " Wacht op derden ", "heropend", "X-17"]
)
def test_a_state_that_systems_write_or_one_word_is_kept_as_it_came(said: str) -> None:
    frame = tickets_1777.flatten([_ticket("a", status_description=said)])
    assert frame["status_description"].to_list() == [said]


def test_the_samples_of_the_schema_validator_become_accepted_requests(real_data: Path, kortrijk: City) -> None:
    folder = real_data / "tickets_1777" / "georeport_schemas"
    answer = Answer("http://desk/requests.xml", 200, {}, (folder / "requests_many.xml").read_bytes(), _SERVER_TIME)
    found = split(tickets_1777.flatten(rows_of(answer)), REQUESTS, kortrijk)
    assert found.accepted["service_request_id"].to_list() == ["101005420892", "101005420894"]
    # a zone in the text goes before that of the city
    assert found.accepted["requested_at"][0] == datetime(2018, 7, 30, 4, 1, tzinfo=UTC)
    schema = json.loads((folder / "schema_request.json").read_text("utf-8"))
    assert set(schema["required"]) <= set(REQUESTS.received.columns)
    (status,) = [column for column in REQUESTS.columns if column.name == "status"]
    assert set(status.allowed) == set(schema["properties"]["status"]["enum"])


def test_a_city_that_leaves_the_zone_out_means_its_own(kortrijk: City) -> None:
    delivery = _pull([_ticket("a", requested_datetime="2026-10-25T01:30:00+02:00")], kortrijk)
    unzoned = tickets_1777.flatten([_ticket("a", requested_datetime="2026-10-25T01:30:00")])
    instants = [
        split(frame, REQUESTS, kortrijk).accepted["requested_at"][0] for frame in (delivery.tables["requests"], unzoned)
    ]
    assert instants[0] == instants[1]


# a bulk file

_BULK = """service_request_id;requested_datetime;closed_date;status_description;source;service_subtype;naam;description
0042;2026-11-10 09:00;12/11/2026;opgelost;Telefoon;grof vuil;Jan;mijn verhaal
0043;10/11/2026 09:00;;in behandeling;Mijn stad app;;Piet;
"""


def test_a_bulk_file_is_read_by_its_own_columns(drop: Callable[..., DroppedFile], kortrijk: City) -> None:
    delivery = tickets_1777.SOURCE.read(drop("meldingen.csv", _BULK), Context(kortrijk))
    found = split(delivery.tables["requests"], REQUESTS, kortrijk)
    assert found.quarantined.is_empty(), found.quarantined["reasons"].to_list()
    rows = found.accepted.rows_by_key("service_request_id", named=True, unique=True)
    # an identifier keeps its zeros, and a day without an hour is over at its end
    assert rows["0042"]["closed_at"] == datetime(2026, 11, 12, 22, 59, 59, tzinfo=UTC)
    assert (rows["0042"]["status"], rows["0042"]["channel"], rows["0042"]["is_closing_derived"]) == (
        "closed",
        "phone",
        False,
    )
    assert (rows["0043"]["status"], rows["0043"]["channel"]) == ("open", "app")
    assert rows["0043"]["requested_at"] == datetime(2026, 11, 10, 8, tzinfo=UTC)
    assert delivery.tables["requests"]["line"].to_list() == [2, 3]


def test_of_a_bulk_file_no_name_and_no_story_comes_along(drop: Callable[..., DroppedFile], kortrijk: City) -> None:
    frame = tickets_1777.SOURCE.read(drop("meldingen.csv", _BULK), Context(kortrijk)).tables["requests"]
    assert {"naam", "description"} <= set(frame.columns)
    assert not {"Jan", "Piet", "mijn verhaal"} & {cell for row in frame.rows() for cell in row}
    assert frame["has_text"].to_list() == ["true", "false"]


def test_a_file_of_updates_is_the_reply_log(drop: Callable[..., DroppedFile], kortrijk: City) -> None:
    header = "update_id;service_request_id;status;updated_datetime;description"
    log = f"{header}\n1;0042;CLOSED;2026-11-12T10:00:00;Klaar, Jan\n"
    delivery = tickets_1777.SOURCE.read(drop("antwoorden.csv", log), Context(kortrijk))
    found = split(delivery.tables["events"], EVENTS, kortrijk)
    assert sorted(found.accepted["event_type"]) == ["closed", "replied"]
    assert delivery.tables["requests"].is_empty()
    assert "Jan" not in str(delivery.tables["events"].rows())


_SHEET = [_BULK.splitlines()[0].split(";"), *(line.split(";") for line in _BULK.splitlines()[1:])]
_LOG_SHEET = [
    ["update_id", "service_request_id", "status", "updated_datetime", "description"],
    ["1", "0042", "CLOSED", "2026-11-12T10:00:00", "Klaar, Jan"],
]


@pytest.mark.parametrize("order", [("meldingen", "updates"), ("updates", "meldingen")], ids=str)
def test_requests_and_their_updates_in_one_workbook_are_both_read(
    drop: Callable[..., DroppedFile], kortrijk: City, order: tuple[str, ...]
) -> None:
    sheets = {"meldingen": _SHEET, "updates": _LOG_SHEET}
    file = drop("alles.xlsx", workbook_bytes({name: sheets[name] for name in order} | {"uitleg": [["Jan"], ["Piet"]]}))
    delivery = tickets_1777.SOURCE.read(file, Context(kortrijk))
    assert delivery.tables["requests"]["service_request_id"].to_list() == ["0042", "0043"]
    assert _kinds(delivery) == [("0042", "closed"), ("0042", "replied")]
    assert delivery.withheld == {"blad 3 heeft niet de kolommen van het sjabloon": 2}
    assert "Jan" not in str([frame.rows() for frame in delivery.tables.values()])


def test_two_sheets_of_requests_are_refused_with_their_places(drop: Callable[..., DroppedFile], kortrijk: City) -> None:
    file = drop("alles.xlsx", workbook_bytes({"2025": _SHEET, "2026": _SHEET}))
    with pytest.raises(UnreadableFileError, match=r"sheets 1 \(2025\) and 2 \(2026\)"):
        tickets_1777.SOURCE.read(file, Context(kortrijk))


def test_a_file_with_the_header_of_neither_is_refused(drop: Callable[..., DroppedFile], kortrijk: City) -> None:
    with pytest.raises(UnreadableFileError, match="service_request_id"):
        tickets_1777.SOURCE.read(drop("iets.csv", "naam;adres\nx;y\n"), Context(kortrijk))
