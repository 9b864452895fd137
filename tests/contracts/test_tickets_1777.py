"""What a question to 1777 and what happened to it must honour."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from contracts.cities.calendar import days
from contracts.gate import Split, split
from contracts.registry import city_named
from contracts.sources.tickets_1777 import CHANNELS, CONTRACT, EVENT_TYPES, EVENTS, REQUESTS
from contracts.vocabulary import OnArrival, TableContract

_REQUEST = {"service_request_id": "638344", "status": "open", "requested_datetime": "2026-11-20T00:30:00+01:00"}
_CLOSED = {"status": "closed", "updated_datetime": "2026-11-21T10:00:00+01:00"}
_EVENT = {
    "service_request_id": "638344",
    "event_id": "17/reply",
    "event_type": "replied",
    "status": "closed",
    "actor_role": "staff",
    "event_datetime": "2026-11-21T10:00:00+01:00",
}


def _split(table: TableContract, whole: dict[str, str], *changes: dict[str, str | None]) -> Split:
    schema = dict.fromkeys(table.received.columns, pl.String)
    rows = pl.DataFrame([whole | change for change in changes], schema=schema)
    return split(rows.with_row_index("line", offset=1).cast({"line": pl.Int64}), table, city_named("kortrijk"))


def _accepted(table: TableContract, whole: dict[str, str], change: dict[str, str | None]) -> dict[str, object]:
    found = _split(table, whole, change)
    assert found.quarantined.is_empty(), found.quarantined["reasons"].to_list()
    return found.accepted.row(0, named=True)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-20T09:00:00+01:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T09:00:00Z", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        # the W3C form that GeoReport asks for may leave the seconds out, and databases write a blank
        ("2026-11-20T09:00+01:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T09:00Z", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20T09:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20 09:00:00+01:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20 09:00:00 +0100", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20 09:00:00.5 UTC", datetime(2026, 11, 20, 9, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-11-20T09:00:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20 09:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("20/11/2026 09:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("20-11-2026 09:00:30", datetime(2026, 11, 20, 8, 0, 30, tzinfo=UTC)),
        ("20/11/2026", datetime(2026, 11, 19, 23, tzinfo=UTC)),
        ("2026-11-20 00:00:00", datetime(2026, 11, 19, 23, tzinfo=UTC)),
        # the hour that comes twice is the first, as GeoReport without a zone leaves it open
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_however_a_server_or_a_spreadsheet_writes_it(written: str, moment: datetime) -> None:
    assert _accepted(REQUESTS, _REQUEST, {"requested_datetime": written})["requested_at"] == moment


@pytest.mark.parametrize(
    "written",
    [
        "20 november",
        "11/20/2026 09:00",
        "2026-03-29T02:30:00",
        "2026-02-30",
        "0",
        "2026-11-20T9:00Z",
        "2026-11-20 25:00Z",
    ],
)
def test_a_moment_that_does_not_exist_is_refused(written: str) -> None:
    found = _split(REQUESTS, _REQUEST, {"requested_datetime": written})
    assert "requested_datetime: cannot be read" in found.quarantined["reasons"][0]


@pytest.mark.parametrize(
    ("change", "closed_at", "derived"),
    [
        ({}, None, ""),
        (_CLOSED, datetime(2026, 11, 21, 9, tzinfo=UTC), "derived"),
        (_CLOSED | {"closed_datetime": "2026-11-20T15:00:00+01:00"}, datetime(2026, 11, 20, 14, tzinfo=UTC), "said"),
        ({"status": "closed", "closed_datetime": "20/11/2026"}, datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC), "said"),
        (_CLOSED | {"closed_datetime": "gisteren"}, datetime(2026, 11, 21, 9, tzinfo=UTC), "derived"),
        # answered, and nobody says when
        ({"status": "closed", "updated_datetime": None}, None, "derived"),
        ({"status": "closed", "updated_datetime": "gisteren"}, None, "derived"),
    ],
)
def test_a_closed_request_says_when_and_a_derived_moment_says_that_it_is(
    change: dict[str, str | None], closed_at: datetime | None, derived: str
) -> None:
    row = _accepted(REQUESTS, _REQUEST, change)
    assert (row["closed_at"], row["is_closing_derived"]) == (closed_at, derived == "derived")


@pytest.mark.parametrize("seconds", [27, 40 * 24 * 3600])
@pytest.mark.parametrize("status", ["open", "closed"])
def test_tickets_clocks_that_put_a_change_before_its_question_are_put_right_open_or_closed(
    status: str, seconds: int
) -> None:
    asked = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    before = (asked - timedelta(seconds=seconds)).isoformat()
    row = _accepted(REQUESTS, _REQUEST, {"status": status, "updated_datetime": before})
    assert (row["updated_at"], row["put_later_seconds"]) == (asked, seconds)
    assert row["closed_at"] == (asked if status == "closed" else None)


def test_a_closing_before_the_question_has_its_moment_too() -> None:
    row = _accepted(REQUESTS, _REQUEST, _CLOSED | {"closed_datetime": "2026-11-19T23:29:59Z"})
    assert (row["closed_at"], row["put_later_seconds"]) == (row["requested_at"], 1)
    assert row["updated_at"] == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert _accepted(REQUESTS, _REQUEST, _CLOSED)["put_later_seconds"] is None


@pytest.mark.parametrize(
    ("said", "status", "state"),
    [
        ("in_progress", "open", "open"),
        ("investigating", "open", "open"),
        ("fixed", "closed", "closed"),
        ("Fixed - Council", "closed", "closed"),
        ("Received", "open", "open"),
        ("reopened", "open", "reopened"),
        ("closed - duplicate", "closed", "duplicate"),
        ("Ingetrokken", "closed", "withdrawn"),
        ("sleeping", "open", "open"),
    ],
)
def test_tickets_words_of_state_mean_the_same_as_in_an_update_and_an_unknown_one_is_open(
    said: str, status: str, state: str
) -> None:
    row = _accepted(REQUESTS, _REQUEST, _CLOSED | {"status": said})
    assert (row["status"], row["state"]) == (status, state)


def test_a_closed_request_that_its_description_calls_a_duplicate_is_one() -> None:
    row = _accepted(REQUESTS, _REQUEST, _CLOSED | {"status_description": "Duplicate"})
    assert (row["status"], row["state"]) == ("closed", "duplicate")


@pytest.mark.parametrize(
    ("said", "channel"),
    [
        ("Telefoon", "phone"),
        ("Constituent Call", "phone"),
        ("e-mail", "email"),
        ("Mail via website", "email"),
        ("Self Service", "web"),
        ("Mijn stad app", "app"),
        ("iPhone app", "app"),
        ("WhatsApp", "other"),
        ("Balie", "desk"),
        ("brief", "other"),
        ("desk", "desk"),
        ("", None),
    ],
)
def test_a_channel_in_anyones_words_is_one_of_six(said: str, channel: str | None) -> None:
    assert _accepted(REQUESTS, _REQUEST, {"channel": said})["channel"] == channel
    assert channel is None or channel in CHANNELS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"requested_datetime": "2009-12-31T12:00:00Z"}, "requested_datetime: lies before 2010"),
        ({"duplicate_of": "de vorige melding"}, "duplicate_of: does not look like"),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(change: dict[str, str | None], reason: str) -> None:
    said = _split(REQUESTS, _REQUEST, change).quarantined["reasons"][0]
    assert any(found.startswith(reason) for found in said), said


@pytest.mark.parametrize(
    ("column", "written", "landed"),
    [
        ("is_first_line", "misschien", "is_first_line"),
        ("updated_datetime", "gisteren", "updated_at"),
        ("expected_datetime", "binnenkort", "expected_at"),
        ("sector_id", "aan de kerk", "sector_id"),
    ],
)
def test_what_only_some_questions_say_takes_none_of_them_away(column: str, written: str, landed: str) -> None:
    found = _split(REQUESTS, _REQUEST, {column: written})
    assert found.accepted[landed].to_list() == [None]
    assert (found.noted, found.quarantined.height) == (1, 0)


def test_every_rule_is_told_to_the_supplier_in_dutch() -> None:
    assert [rule.name for table in CONTRACT.tables for rule in table.rules if not rule.reason_nl] == []


def test_an_event_carries_the_city_date_on_which_it_happened() -> None:
    row = _accepted(EVENTS, _EVENT, {"event_datetime": "2026-11-21T00:15:00+01:00", "event_type": "Replied"})
    assert (row["event_at"], row["event_date"]) == (datetime(2026, 11, 20, 23, 15, tzinfo=UTC), date(2026, 11, 21))
    assert row["event_type"] in EVENT_TYPES


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_id": None}, "event_id: is missing"),
        ({"event_type": "called"}, "event_type: is none of received, auto_ack"),
        ({"actor_role": "Jan Peeters"}, "actor_role: is none of citizen, staff, system"),
        ({"status": "sleeping"}, "status: is none of open, closed"),
        ({"event_datetime": None}, "event_datetime: is missing"),
        ({"event_datetime": "2009-12-31T12:00:00Z"}, "event_datetime: lies before 2010"),
    ],
)
def test_an_event_that_breaks_its_promise_is_refused(change: dict[str, str | None], reason: str) -> None:
    said = _split(EVENTS, _EVENT, change).quarantined["reasons"][0]
    assert any(found.startswith(reason) for found in said), said


def test_one_update_may_tell_two_things_and_the_same_thing_twice_is_one() -> None:
    found = _split(EVENTS, _EVENT, {}, {"event_id": "17", "event_type": "closed"}, {})
    assert (found.accepted.height, found.duplicate) == (2, 1)


def test_it_is_pulled_on_a_clock_and_dropped_as_a_file() -> None:
    assert CONTRACT.crons
    assert OnArrival((".csv", ".xlsx")) in CONTRACT.triggers


def test_no_column_that_passes_the_door_holds_a_story_or_a_place() -> None:
    passing = {name for table in CONTRACT.tables for name in table.received.columns}
    assert not passing & {"description", "address", "lat", "long", "media_url", "first_name", "email", "phone"}


def test_the_assumed_closing_days_of_the_profile_are_the_usual_ones() -> None:
    year = days(city_named("kortrijk"), date(2026, 1, 1), date(2026, 12, 31))
    closed = year.filter(pl.col("closing_reason").is_not_null())["date"].to_list()
    assert closed == [date(2026, 7, 11), date(2026, 11, 2), date(2026, 11, 15), date(2026, 12, 26)]
