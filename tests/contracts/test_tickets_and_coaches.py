"""What a question to 1777 must honour."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from contracts.gate import Split, split
from contracts.registry import city_named
from contracts.sources.tickets_1777 import REQUESTS
from contracts.vocabulary import TableContract

_REQUEST = {
    "service_request_id": "638344",
    "status": "closed",
    "service_code": "7",
    "service_name": "Sluikstorten",
    "agency_responsible": "Openbaar domein",
    "zipcode": "8500",
    "requested_datetime": "2026-11-20T00:30:00+01:00",
    "updated_datetime": "2026-11-21T10:00:00+01:00",
    "expected_datetime": None,
}


def _split(table: TableContract, whole: dict[str, str | None], *changes: dict[str, str | None]) -> Split:
    schema = dict.fromkeys(table.received.columns, pl.String)
    rows = pl.DataFrame([whole | change for change in changes], schema=schema)
    return split(rows.with_row_index("line", offset=1).cast({"line": pl.Int64}), table, city_named("kortrijk"))


def test_a_request_carries_the_city_date_on_which_it_was_asked() -> None:
    row = _split(REQUESTS, _REQUEST, {}).accepted.row(0, named=True)
    assert row["requested_at"] == datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    assert row["requested_date"] == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"service_request_id": None}, "service_request_id: is missing"),
        ({"service_request_id": "a b"}, r"service_request_id: does not look like ^\S{1,64}$"),
        ({"requested_datetime": "20 november"}, "requested_datetime: cannot be read"),
    ],
)
def test_a_request_that_breaks_its_promise_is_refused(change: dict[str, str | None], reason: str) -> None:
    assert reason in _split(REQUESTS, _REQUEST, change).quarantined["reasons"][0]


def test_an_open_request_needs_no_last_change() -> None:
    assert _split(REQUESTS, _REQUEST, {"status": "OPEN", "updated_datetime": None}).accepted.height == 1


def test_of_two_states_of_a_request_the_later_stays() -> None:
    first = {"status": "open", "updated_datetime": "2026-11-20T08:00:00+01:00"}
    found = _split(REQUESTS, _REQUEST, {}, first)
    assert found.accepted["status"].to_list() == ["closed"]
    assert found.superseded == 1
