"""An operator of which locations or charging fails still delivers the other, and nothing is lost or told twice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from contracts.cities.profile import City
from ingestion.delivery import Context, Delivery
from ingestion.errors import PermanentSupplierError
from ingestion.sources import charge_points
from tests.ingestion.asking import endpoint_of
from tests.ingestion.failing import CLOCK, FAILURES, SAYS, NewSupplier, Reply


class _Operator:
    """One public charge point with CDRs and sessions; `broken` says what a module answers instead."""

    def __init__(self, new_supplier: NewSupplier) -> None:
        self.clock = CLOCK
        self.broken: dict[str, Reply] = {}
        self.status = "AVAILABLE"
        self.evses = ["E1"]
        self.more: dict[str, object] = {}
        self.cdrs = [_cdr(1, "2026-11-20T10:00:00Z")]
        # no question about an earlier day is answered
        self.oldest_asked = ""
        self.supplier = new_supplier(self._answer)

    def _answer(self, path: str, query: dict[str, str]) -> Reply:
        name = path.strip("/")
        broken = self.broken.get(name)
        if query.get("date_from", "9") < self.oldest_asked:
            broken = (400, {}, b"")
        status, headers, body = broken or (200, {}, self._envelope(name, query))
        return status, {"Date": format_datetime(self.clock, usegmt=True)} | headers, body

    def _envelope(self, name: str, query: dict[str, str]) -> bytes:
        since = query.get("date_from", "")
        data: Any = [each for each in self._listed(name) if str(each.get("last_updated", "9")) >= since]
        if name == "details":
            data = {"endpoints": data}
        return json.dumps({"data": data, "status_code": 1000, "timestamp": self.clock.isoformat()}).encode()

    def _listed(self, name: str) -> list[dict[str, Any]]:
        url = self.supplier.url
        if name == "versions":
            return [{"version": "2.2.1", "url": f"{url}/details"}]
        if name == "details":
            return [
                {"identifier": each, "role": "SENDER", "url": f"{url}/{each}"}
                for each in ("locations", "cdrs", "sessions")
            ]
        changed = "2026-11-01T00:00:00Z" if self.status == "AVAILABLE" else self.clock.strftime("%Y-%m-%dT%H:%M:%SZ")
        evses = [{"uid": each, "status": self.status, "last_updated": changed} for each in self.evses]
        place = {"country_code": "BE", "party_id": "ABC", "id": "L1", "evses": evses, "last_updated": changed}
        place |= {"coordinates": {"latitude": "50.82800", "longitude": "3.26500"}}
        return {"locations": [place | self.more], "cdrs": self.cdrs}.get(name, [])

    def pull(
        self,
        city: City,
        before: Delivery | None = None,
        now: Callable[[], datetime | None] = lambda: None,
        **options: str,
    ) -> Delivery:
        """One pull; `now` is our own clock."""
        memory = json.loads(json.dumps(before.memory)) if before else {}
        endpoint = endpoint_of(charge_points.SOURCE, f"{self.supplier.url}/versions", **({"SESSIONS": "1"} | options))
        return charge_points.SOURCE.fetch(endpoint, Context(city, memory=memory, now=now))


def _cdr(number: int, begin: str, kwh: float = 10.0, **more: object) -> dict[str, Any]:
    return {
        "country_code": "BE",
        "party_id": "ABC",
        "id": f"C{number}",
        "start_date_time": begin,
        "end_date_time": begin.replace(":00:00Z", ":59:00Z"),
        "cdr_location": {"id": "L1", "evse_uid": "E1"},
        "total_energy": kwh,
        "last_updated": begin.replace(":00:00Z", ":59:00Z"),
    } | more


def _days_and_energy(delivery: Delivery) -> tuple[list[tuple[str | None, str | None]], float]:
    crawl, hours = delivery.tables["crawls"], delivery.tables["charge_sessions_hourly"]
    return crawl.select("sessions_from", "sessions_to").rows(), hours["energy_kwh"].cast(float).sum()


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("module", ["cdrs", "sessions"])
def test_locations_land_where_a_module_of_charging_fails_and_the_next_pull_takes_it_up(
    new_supplier: NewSupplier, kortrijk: City, module: str, failure: str
) -> None:
    operator = _Operator(new_supplier)
    operator.broken = {module: FAILURES[failure]}
    first = operator.pull(kortrijk)
    assert first.tables["locations"].height == first.tables["evses"].height == 1
    assert first.complete_until == CLOCK
    assert list(first.faults) == [module]
    assert SAYS[failure] in first.faults[module]
    # a day of which one module is missing is not claimed
    assert _days_and_energy(first) == ([(None, None)], 0)
    operator.broken = {}
    second = operator.pull(kortrijk, first)
    assert second.tables["locations"].is_empty()
    assert (second.faults, _days_and_energy(second)) == ({}, ([("2026-10-23", "2026-11-22")], 10))
    third = operator.pull(kortrijk, second)
    assert all(frame.is_empty() for frame in third.tables.values())


def test_a_failure_of_weeks_leaves_no_day_between_the_readings(new_supplier: NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier)
    before = operator.pull(kortrijk, SESSION_DAYS="3")
    operator.broken = {"cdrs": FAILURES["gone"]}
    operator.clock += timedelta(days=5)
    operator.cdrs.append(_cdr(2, "2026-11-23T10:00:00Z", 4))
    failed = operator.pull(kortrijk, before, SESSION_DAYS="3")
    operator.broken = {}
    operator.clock += timedelta(days=5)
    after = operator.pull(kortrijk, failed, SESSION_DAYS="3")
    # read on the 23rd, so the 22nd was the last whole day
    assert _days_and_energy(after) == ([("2026-11-23", "2026-12-02")], 4)


@pytest.mark.parametrize("failure", FAILURES)
def test_charging_lands_where_the_locations_fail_and_the_stock_is_not_claimed(
    new_supplier: NewSupplier, kortrijk: City, failure: str
) -> None:
    operator = _Operator(new_supplier)
    before = operator.pull(kortrijk)
    operator.broken = {"locations": FAILURES[failure]}
    operator.clock += timedelta(days=1)
    operator.status = "CHARGING"
    operator.cdrs.append(_cdr(2, "2026-11-23T08:00:00Z", 4))
    alone = operator.pull(kortrijk, before)
    assert list(alone.faults) == ["locations"]
    assert SAYS[failure] in alone.faults["locations"]
    assert alone.complete_until is None
    assert _days_and_energy(alone) == ([("2026-10-24", "2026-11-23")], 14)
    assert alone.tables["crawls"].select("is_full", "location_count").rows() == [("false", None)]
    # what changed in the meantime is asked from where the locations were last read
    operator.broken = {}
    after = operator.pull(kortrijk, alone)
    assert operator.supplier.asked[-1] == ("/locations", {"date_from": "2026-11-23T05:50:00Z"})
    assert after.tables["evses"]["status"].to_list() == ["CHARGING"]
    assert (after.faults, after.complete_until) == ({}, operator.clock)


def test_where_nothing_can_be_read_the_failure_of_the_locations_is_told(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    operator.broken = {"locations": FAILURES["gone"]}
    # at first nobody knows which charge points are public
    with pytest.raises(PermanentSupplierError, match="/locations: answered HTTP 404"):
        operator.pull(kortrijk)
    operator.broken = {}
    before = operator.pull(kortrijk)
    operator.clock += timedelta(days=1)
    operator.broken = {"locations": FAILURES["gone"], "cdrs": FAILURES["down"]}
    with pytest.raises(PermanentSupplierError, match="/locations: answered HTTP 404"):
        operator.pull(kortrijk, before)
    # charging was read today already
    operator.clock -= timedelta(days=1)
    operator.broken = {"locations": FAILURES["gone"]}
    with pytest.raises(PermanentSupplierError, match="/locations: answered HTTP 404"):
        operator.pull(kortrijk, before)


def test_one_of_the_two_modules_can_be_left_out_by_name(new_supplier: NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier)
    operator.broken = {"sessions": FAILURES["forbidden"]}
    delivery = operator.pull(kortrijk, SESSIONS="cdrs")
    assert (delivery.faults, _days_and_energy(delivery)[1]) == ({}, 10)


@pytest.mark.parametrize("energy", [-10.0, 10.0])
def test_a_credit_note_for_a_day_told_long_ago_has_that_day_read_again_once(
    new_supplier: NewSupplier, kortrijk: City, energy: float
) -> None:
    operator = _Operator(new_supplier)
    operator.cdrs = [_cdr(1, "2026-09-01T10:00:00Z"), _cdr(2, "2026-09-01T12:00:00Z", 3)]
    credit = _cdr(3, "2026-09-01T10:00:00Z", energy, credit=True, credit_reference_id="c1")
    operator.cdrs.append(credit | {"last_updated": "2026-11-22T08:00:00Z"})
    delivery = operator.pull(kortrijk)
    assert _days_and_energy(delivery) == ([("2026-09-01", "2026-11-22")], 3)
    assert not any("creditnota" in reason for reason in delivery.withheld)
    operator.clock += timedelta(days=1)
    assert _days_and_energy(operator.pull(kortrijk, delivery))[0] == [("2026-10-24", "2026-11-23")]


def test_a_credit_note_before_its_cdr_takes_it_away_when_it_comes(new_supplier: NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier)
    operator.cdrs = [_cdr(2, "2026-11-20T10:00:00Z", -10, credit=True, credit_reference_id="C1")]
    first = operator.pull(kortrijk)
    assert _days_and_energy(first)[1] == 0
    assert sum(count for reason, count in first.withheld.items() if "creditnota" in reason) == 1
    operator.clock += timedelta(days=1)
    operator.cdrs.append(_cdr(1, "2026-11-20T10:00:00Z", last_updated="2026-11-23T07:00:00Z"))
    assert _days_and_energy(operator.pull(kortrijk, first))[1] == 0


_OLD = _cdr(8, "2026-07-10T10:00:00Z")
_OLD_CREDIT = _cdr(9, "2026-07-10T10:00:00Z", -10, credit=True, credit_reference_id="C8") | {
    "last_updated": "2026-11-22T08:00:00Z"
}


def test_a_supplier_that_refuses_old_questions_still_tells_the_last_days_beside_an_old_credit_note(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    operator.cdrs += [_OLD, _OLD_CREDIT]
    operator.oldest_asked = "2026-09-01"
    first = operator.pull(kortrijk)
    assert (_days_and_energy(first), first.faults) == (([("2026-10-23", "2026-11-22")], 10), {})
    [warning] = first.warnings
    assert "/sessions: answered HTTP 400" in warning
    assert "credit notes change days since 2026-07-10, told before 2026-10-23" in warning
    # it is asked again as long as the note lies within the days that are read, and no longer
    operator.clock += timedelta(days=1)
    second = operator.pull(kortrijk, first)
    assert (_days_and_energy(second)[0], len(second.warnings)) == ([("2026-10-24", "2026-11-23")], 1)
    operator.clock += timedelta(days=31)
    assert operator.pull(kortrijk, second).warnings == ()


def test_an_old_question_that_is_answered_later_has_the_day_read_again_after_all(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    operator.cdrs += [_OLD, _OLD_CREDIT]
    operator.oldest_asked = "2026-09-01"
    first = operator.pull(kortrijk)
    operator.oldest_asked = ""
    operator.clock += timedelta(days=1)
    assert _days_and_energy(operator.pull(kortrijk, first)) == ([("2026-07-10", "2026-11-23")], 10)


@pytest.mark.parametrize(
    "begin",
    [
        "9999-12-31T23:30:00Z",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
        "soon",
        None,
    ],
)
def test_a_credit_note_of_a_day_that_cannot_be_or_is_too_long_ago_has_nothing_read_again(
    new_supplier: NewSupplier, kortrijk: City, begin: str | None
) -> None:
    operator = _Operator(new_supplier)
    operator.cdrs.append(_OLD_CREDIT | {"start_date_time": begin, "end_date_time": begin})
    delivery = operator.pull(kortrijk)
    assert (_days_and_energy(delivery), delivery.faults) == (([("2026-10-23", "2026-11-22")], 10), {})
    assert [count for reason, count in delivery.withheld.items() if "creditnota" in reason] == [1]


def test_a_day_told_earlier_is_read_again_too_where_the_cdr_came_together_with_its_credit_note(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    late = {"last_updated": "2026-11-22T08:00:00Z"}
    operator.cdrs = [_OLD | late, _OLD_CREDIT, _cdr(2, "2026-07-10T12:00:00Z", 3)]
    assert _days_and_energy(operator.pull(kortrijk)) == ([("2026-07-10", "2026-11-22")], 3)


def test_credit_notes_that_name_no_cdr_are_each_their_own(new_supplier: NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier)
    nameless = {"credit_reference_id": None, "last_updated": "2026-11-22T08:00:00Z"}
    operator.cdrs += [
        _cdr(number, f"{day}T10:00:00Z", -1, credit=True) | nameless
        for number, day in ((7, "2026-08-01"), (8, "2026-09-01"))
    ]
    delivery = operator.pull(kortrijk)
    assert _days_and_energy(delivery)[0] == [("2026-08-01", "2026-11-22")]
    assert [count for reason, count in delivery.withheld.items() if "creditnota" in reason] == [2]


def test_a_credit_note_that_was_read_with_its_day_has_it_read_once_also_when_that_day_leaves_the_window(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    # the first day of the window of the 23rd
    credit = _cdr(2, "2026-10-23T10:00:00Z", -10, credit=True, credit_reference_id="C9")
    operator.cdrs.append(credit | {"last_updated": "2026-11-20T08:00:00Z"})
    first = operator.pull(kortrijk)
    assert _days_and_energy(first)[0] == [("2026-10-23", "2026-11-22")]
    operator.clock += timedelta(days=1)
    assert _days_and_energy(operator.pull(kortrijk, first))[0] == [("2026-10-24", "2026-11-23")]


def test_a_charge_point_that_is_gone_keeps_the_energy_of_the_days_it_was_there(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    operator.evses = ["E1", "E2"]
    operator.cdrs = [
        _cdr(1, "2026-09-01T10:00:00Z", 3),
        _at_e2(_cdr(2, "2026-09-01T10:00:00Z", 8)),
        _at_e2(_cdr(3, "2026-11-20T10:00:00Z", 5)),
    ]
    before = operator.pull(kortrijk)
    assert _days_and_energy(before)[1] == 5
    operator.evses = ["E1"]
    operator.clock += timedelta(days=8)
    gone = operator.pull(kortrijk, before)
    assert _days_and_energy(gone) == ([("2026-10-31", "2026-11-30")], 5)
    assert gone.withheld == {}
    # what is charged at it later may be anybody's
    operator.cdrs += [
        _at_e2(_cdr(4, "2026-12-01T10:00:00Z", 9)),
        _OLD_CREDIT | {"start_date_time": "2026-09-01T15:00:00Z", "last_updated": "2026-12-01T10:00:00Z"},
    ]
    operator.clock += timedelta(days=1)
    after = operator.pull(kortrijk, gone)
    assert _days_and_energy(after) == ([("2026-09-01", "2026-12-01")], 3 + 8 + 5)
    assert sum(count for reason, count in after.withheld.items() if "privélaadpunt" in reason) == 1
    operator.clock += timedelta(days=401)
    assert _gone_on(operator.pull(kortrijk, after)) == {}


@pytest.mark.parametrize("days", [1, 8], ids=["a pull of changes", "a pull of everything"])
def test_of_a_charge_point_that_turned_private_no_day_is_read_again(
    new_supplier: NewSupplier, kortrijk: City, days: int
) -> None:
    operator = _Operator(new_supplier)
    before = operator.pull(kortrijk)
    operator.clock += timedelta(days=days)
    operator.status = "CHARGING"
    operator.more = {"publish": False}
    after = operator.pull(kortrijk, before, ACCEPT_SHRINK_ON=f"{operator.clock:%Y-%m-%d}")
    assert (_days_and_energy(after)[1], _gone_on(after)) == (0, {})


def test_a_charge_point_that_comes_back_is_no_longer_gone(new_supplier: NewSupplier, kortrijk: City) -> None:
    operator = _Operator(new_supplier)
    operator.evses = ["E1", "E2"]
    before = operator.pull(kortrijk)
    operator.evses = ["E1"]
    operator.clock += timedelta(days=8)
    gone = operator.pull(kortrijk, before)
    assert list(_gone_on(gone).values()) == ["2026-12-01"]
    operator.evses = ["E1", "E2"]
    operator.status = "CHARGING"
    operator.clock += timedelta(days=1)
    back = operator.pull(kortrijk, gone)
    assert (_gone_on(back), back.tables["evses"].height) == ({}, 2)


def _gone_on(delivery: Delivery) -> dict[str, str]:
    """What is remembered of the charge points that are gone."""
    assert delivery.memory is not None
    found: dict[str, str] = json.loads(json.dumps(delivery.memory["gone_on"]))
    return found


def _at_e2(cdr: dict[str, Any]) -> dict[str, Any]:
    return cdr | {"cdr_location": {"id": "L1", "evse_uid": "E2"}}


# --- clocks -----------------------------------------------------------------------------------------------------


def _moments(delivery: Delivery) -> set[str | None]:
    """Every moment a delivery bears: of its rows, of the crawl and of what it remembers."""
    tables, memory = delivery.tables, delivery.memory or {}
    stamps = [tables[name]["last_updated"].to_list() for name in ("locations", "evses", "connectors")]
    crawls = [tables["crawls"][name].to_list() for name in ("started_at", "ended_at")]
    remembered = [str(memory[name]) for name in ("until", "full_at") if memory[name]]
    return {*remembered, *(moment for column in [*stamps, *crawls] for moment in column)}


_AHEAD = {
    "20 hours": (CLOCK, timedelta(hours=20)),
    "6 minutes before the city's midnight": (datetime(2026, 11, 23, 22, 57, tzinfo=UTC), timedelta(minutes=6)),
    "30 days": (CLOCK, timedelta(days=30)),
}


@pytest.mark.parametrize(("now", "ahead"), _AHEAD.values(), ids=_AHEAD)
def test_nothing_bears_a_moment_past_our_own_and_no_day_is_read_before_it_is_over(
    new_supplier: NewSupplier, kortrijk: City, now: datetime, ahead: timedelta
) -> None:
    operator = _Operator(new_supplier)
    operator.clock = now + ahead
    # charges just now, by the clock of the operator
    operator.status = "CHARGING"
    delivery = operator.pull(kortrijk, now=lambda: now)
    assert _moments(delivery) == {now.isoformat()}
    assert (delivery.supplied_at, delivery.complete_until) == (now, now)
    assert _days_and_energy(delivery)[0] == [("2026-10-23", "2026-11-22")]
    clock, *stamps = delivery.warnings
    assert f"its clock runs {round(ahead / timedelta(minutes=1))} min ahead" in clock
    # up to ten minutes are nothing to speak of
    assert len(stamps) == (ahead > timedelta(minutes=10))
    assert all("2 objects changed after they were sent" in told for told in stamps)
    # set right, the next day is read as if nothing had been wrong
    operator.clock = now + timedelta(days=1)
    after = operator.pull(kortrijk, delivery, now=lambda: operator.clock)
    assert (_days_and_energy(after)[0], after.warnings) == ([("2026-10-24", "2026-11-23")], ())
    assert after.tables["evses"]["last_updated"].to_list() == [f"{operator.clock:%Y-%m-%dT%H:%M:%SZ}"]


def test_sessions_alone_keep_to_our_own_time_too_and_tell_of_the_clock(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    before = operator.pull(kortrijk, now=lambda: CLOCK)
    now = CLOCK + timedelta(days=1)
    operator.clock = now + timedelta(hours=20)
    operator.broken = {"locations": FAILURES["gone"]}
    alone = operator.pull(kortrijk, before, now=lambda: now)
    assert alone.supplied_at == now
    assert alone.tables["crawls"]["started_at"].to_list() == [now.isoformat()]
    assert _days_and_energy(alone)[0] == [("2026-10-24", "2026-11-23")]
    [warning] = alone.warnings
    assert "its clock runs 1200 min ahead of ours" in warning


def test_where_sessions_alone_cannot_ask_the_time_the_failure_of_the_locations_is_told(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    before = operator.pull(kortrijk)
    operator.clock += timedelta(days=1)
    operator.broken = {"locations": FAILURES["gone"]}
    asked = operator.supplier.answering

    def once(path: str, query: dict[str, str]) -> Reply:
        reply: Reply = asked(path, query)
        if path == "/versions":
            operator.broken["versions"] = FAILURES["forbidden"]
        return reply

    operator.supplier.answering = once
    with pytest.raises(PermanentSupplierError, match="/locations: answered HTTP 404"):
        operator.pull(kortrijk, before)


def test_a_pull_that_takes_long_before_the_first_page_makes_no_clock_run_ahead(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    asked = operator.supplier.answering

    def slow(path: str, query: dict[str, str]) -> Reply:
        operator.clock += timedelta(minutes=9) if path == "/versions" else timedelta(0)
        reply: Reply = asked(path, query)
        return reply

    operator.supplier.answering = slow
    delivery = operator.pull(kortrijk, now=lambda: operator.clock)
    assert (delivery.warnings, delivery.complete_until) == ((), CLOCK + timedelta(minutes=9))


def test_an_envelope_and_a_header_that_tell_two_times_are_told_and_the_earlier_counts(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    asked = operator.supplier.answering

    def two_clocks(path: str, query: dict[str, str]) -> Reply:
        status, headers, body = asked(path, query)
        return status, headers | {"Date": format_datetime(CLOCK - timedelta(hours=3), usegmt=True)}, body

    operator.supplier.answering = two_clocks
    delivery = operator.pull(kortrijk)
    [warning] = delivery.warnings
    shown = f"{operator.supplier.url}/locations"
    assert f"{shown}: tells two times, 2026-11-23 03:00 and 2026-11-23 06:00 UTC; the earlier counts" in warning
    assert delivery.complete_until == CLOCK - timedelta(hours=3)


@pytest.mark.parametrize("never_set", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_clock_that_was_never_set_is_none(new_supplier: NewSupplier, kortrijk: City, never_set: str) -> None:
    operator = _Operator(new_supplier)
    asked = operator.supplier.answering

    def unset(path: str, query: dict[str, str]) -> Reply:
        status, headers, body = asked(path, query)
        return status, headers, body.replace(operator.clock.isoformat().encode(), never_set.encode())

    operator.supplier.answering = unset
    delivery = operator.pull(kortrijk, now=lambda: CLOCK)
    assert (delivery.warnings, delivery.complete_until) == ((), CLOCK)
    assert _days_and_energy(delivery) == ([("2026-10-23", "2026-11-22")], 10)


def test_pages_whose_clocks_differ_make_no_crawl_that_begins_after_its_end(
    new_supplier: NewSupplier, kortrijk: City
) -> None:
    operator = _Operator(new_supplier)
    asked = operator.supplier.answering

    def paged(path: str, query: dict[str, str]) -> Reply:
        status, headers, body = asked(path, query)
        if path == "/locations" and "offset" not in query:
            # the city's next day
            headers |= {"Date": format_datetime(datetime(2026, 11, 23, 23, 0, 2, tzinfo=UTC), usegmt=True)}
            headers |= {"Link": f'<{operator.supplier.url}/locations?offset=1>; rel="next"'}
            body = body.replace(operator.clock.isoformat().encode(), b"2026-11-23T23:00:02Z")
        return status, headers, body

    operator.clock = datetime(2026, 11, 23, 22, 59, 58, tzinfo=UTC)
    operator.supplier.answering = paged
    delivery = operator.pull(kortrijk)
    crawl = delivery.tables["crawls"].row(0, named=True)
    assert crawl["started_at"] == crawl["ended_at"] == operator.clock.isoformat()
    assert _days_and_energy(delivery)[0] == [("2026-10-23", "2026-11-22")]
