"""A desk of which the reply log fails still delivers its questions, and nothing is claimed past the last reply."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from contracts.cities.profile import City
from ingestion.delivery import Context, Delivery
from ingestion.errors import SupplierError
from ingestion.sources import tickets_1777
from tests.ingestion.asking import endpoint_of
from tests.ingestion.failing import CLOCK, FAILURES, NewSupplier, Reply


class _Desk:
    """A desk with a reply log; `log` says what the log answers instead, `is_shut` that requests fail."""

    def __init__(self, new_supplier: NewSupplier) -> None:
        self.clock = CLOCK
        self.requests = [_request("a")]
        self.updates = [_update("u1", "a", "2026-11-21T09:00:00Z")]
        self.log: Reply | None = None
        self.is_shut = False
        self.supplier = new_supplier(self._answer)

    def _answer(self, path: str, query: dict[str, str]) -> Reply:
        date_header = {"Date": format_datetime(self.clock, usegmt=True)}
        if "servicerequestupdates" in path:
            status, headers, body = self.log or (200, {}, json.dumps(self._inside(self.updates, query)).encode())
            return status, date_header | headers, body
        if self.is_shut and "start_date" in query:
            return 403, date_header, b""
        return 200, date_header, json.dumps(self._inside(self.requests, query)).encode()

    def _inside(self, rows: list[dict[str, str]], query: dict[str, str]) -> list[dict[str, str]]:
        if "updated_after" in query or int(query.get("page", 1)) > 1:
            return []
        start, end = query.get("start_date", ""), query.get("end_date", "9")
        named = query.get("service_request_id", "").split(",")
        moment = "updated_datetime" if rows is self.updates else "requested_datetime"
        if named != [""]:
            return [row for row in rows if row["service_request_id"] in named]
        return [row for row in rows if start <= row[moment] < end]

    def pull(
        self,
        city: City,
        before: Delivery | None = None,
        now: Callable[[], datetime | None] = lambda: None,
        **options: str,
    ) -> Delivery:
        memory = json.loads(json.dumps(before.memory)) if before else {}
        settings = {"SINCE": "2026-06-01", "UPDATED_AFTER": "0"} | options
        endpoint = endpoint_of(tickets_1777.SOURCE, self.supplier.url, **settings)
        return tickets_1777.SOURCE.fetch(endpoint, Context(city, memory=memory, now=now))


def _request(key: str, asked: str = "2026-11-20T09:00:00Z") -> dict[str, str]:
    return {"service_request_id": key, "status": "open", "requested_datetime": asked}


def _update(key: str, request: str, moment: str) -> dict[str, str]:
    return {
        "update_id": key,
        "service_request_id": request,
        "status": "OPEN",
        "description": "Beste",
        "updated_datetime": moment,
    }


def _told(delivery: Delivery) -> tuple[list[str], list[str]]:
    tables = delivery.tables
    return tables["requests"]["service_request_id"].to_list(), tables["events"]["event_id"].to_list()


@pytest.mark.parametrize("failure", sorted(set(FAILURES) - {"OCPI error"}))
def test_questions_land_where_the_reply_log_fails_and_nothing_is_claimed_past_the_last_reply(
    new_supplier: NewSupplier, kortrijk: City, failure: str
) -> None:
    desk = _Desk(new_supplier)
    first = desk.pull(kortrijk)
    assert (_told(first), first.complete_until) == ((["a"], ["u1"]), CLOCK)
    desk.log = FAILURES[failure]
    desk.clock += timedelta(days=3)
    desk.requests.append(_request("b", "2026-11-24T09:00:00Z"))
    # answered on the first day of the failure: three days later still found
    desk.updates.append(_update("u2", "a", "2026-11-23T08:00:00Z"))
    second = desk.pull(kortrijk, first)
    assert (_told(second), second.complete_until) == ((["b"], []), CLOCK)
    assert list(second.faults) == ["servicerequestupdates"]
    assert "ADEMRUIMTE_TICKETS_1777_UPDATES" in second.faults["servicerequestupdates"]
    desk.log = None
    third = desk.pull(kortrijk, second)
    assert (_told(third), third.faults, third.complete_until) == (([], ["u2"]), {}, desk.clock)


def test_a_log_that_fails_at_first_contact_leaves_the_source_speaking_of_nothing_yet(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    desk = _Desk(new_supplier)
    desk.log = FAILURES["down"]
    first = desk.pull(kortrijk)
    assert (_told(first), list(first.faults)) == ((["a"], []), ["servicerequestupdates"])
    assert first.complete_until == datetime(2026, 5, 31, 22, tzinfo=UTC)
    desk.log = None
    desk.clock += timedelta(days=9)
    # the log is asked from the first day, however long ago
    assert _told(desk.pull(kortrijk, first)) == ([], ["u1"])


def test_a_server_that_never_kept_a_log_or_is_said_to_keep_none_is_not_at_fault(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    desk = _Desk(new_supplier)
    desk.log = FAILURES["gone"]
    first = desk.pull(kortrijk)
    assert (first.faults, first.complete_until) == ({}, CLOCK)
    assert desk.pull(kortrijk, first).faults == {}
    desk.log = FAILURES["forbidden"]
    without = desk.pull(kortrijk, UPDATES="0")
    assert (without.faults, without.complete_until, _told(without)[0]) == ({}, CLOCK, ["a"])


def test_an_answer_whose_question_cannot_be_read_waits_for_it(new_supplier: NewSupplier, kortrijk: City) -> None:
    desk = _Desk(new_supplier)
    first = desk.pull(kortrijk)
    desk.is_shut = True
    desk.clock += timedelta(days=1)
    desk.updates.append(_update("u2", "a", "2026-11-23T08:00:00Z"))
    with pytest.raises(SupplierError):
        desk.pull(kortrijk, first)
    desk.is_shut = False
    assert _told(desk.pull(kortrijk, first)) == ([], ["u2"])


@pytest.mark.parametrize(
    ("off", "words", "until"),
    [
        (timedelta(hours=20), "its clock runs 1200 min ahead of ours (2026-11-24 02:00 UTC)", CLOCK),
        (timedelta(hours=-2), "its clock lags 120 min behind ours (2026-11-23 04:00 UTC)", CLOCK - timedelta(hours=2)),
    ],
    ids=["ahead", "behind"],
)
def test_a_desk_whose_clock_is_wrong_speaks_no_further_than_our_own_time(
    new_supplier: NewSupplier, kortrijk: City, off: timedelta, words: str, until: datetime
) -> None:
    desk = _Desk(new_supplier)
    desk.clock += off
    delivery = desk.pull(kortrijk, now=lambda: CLOCK)
    assert [words in warning for warning in delivery.warnings] == [True]
    assert (delivery.supplied_at, delivery.complete_until) == (until, until)


def test_a_desk_that_is_slow_to_open_has_no_wrong_clock(new_supplier: NewSupplier, kortrijk: City) -> None:
    desk = _Desk(new_supplier)
    asked = desk.supplier.answering

    def slow(path: str, query: dict[str, str]) -> Reply:
        desk.clock += timedelta(minutes=9) if "start_date" not in query else timedelta(0)
        reply: Reply = asked(path, query)
        return reply

    desk.supplier.answering = slow
    assert desk.pull(kortrijk, now=lambda: desk.clock).warnings == ()
