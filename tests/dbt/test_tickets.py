"""The clock of the promise, in SQL, over questions and replies that came through the contract's own gate."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from contracts.gate import split
from contracts.registry import all_contracts, city_named
from tests.dbt.warehouses import Built, Dbt, insert, measure_again
from warehouse.engine import connect
from warehouse.load import write_build, write_status

ONLY = ("--resource-type", "seed", "--resource-type", "model")
COMPLETE_UNTIL = datetime(2026, 12, 31, 12, tzinfo=UTC)
# 92 and 100 quarters lie in the terms of 27 March and 23 October
VECTORS = {
    "2026-11-20T09:00Z": "2026-11-27",
    "2026-11-21T09:00Z": "2026-11-27",
    "2026-11-23T08:00Z": "2026-11-30",
    "2026-11-23T22:59Z": "2026-11-30",
    "2026-11-23T23:00Z": "2026-12-01",
    "2026-03-27T10:00Z": "2026-04-03",
    "2026-04-02T10:00Z": "2026-04-10",
    "2026-05-12T10:00Z": "2026-05-20",
    "2026-07-10T10:00Z": "2026-07-17",
    "2026-07-17T10:00Z": "2026-07-27",
    "2026-10-23T10:00Z": "2026-10-30",
    "2026-10-30T10:00Z": "2026-11-09",
    "2026-12-18T15:00Z": "2026-12-28",
    "2026-12-24T15:00Z": "2027-01-04",
}
LAST_MOMENTS = {"2026-03-27T10:00Z": "2026-04-03T22:00", "2026-10-23T10:00Z": "2026-10-30T23:00"}

Row = Mapping[str, str | None]


def land(
    con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row], city: str = "kortrijk", batch: str = "b1"
) -> None:
    """Lands rows of text as the gate accepts them."""
    contract = all_contracts()["tickets_1777"].table(table)
    schema = dict.fromkeys(contract.received.columns, pl.String)
    received = pl.DataFrame([dict(row) for row in rows], schema=schema).with_row_index("line", offset=1)
    outcome = split(received.cast({"line": pl.Int64}), contract, city_named(city))
    assert outcome.quarantined.is_empty(), outcome.quarantined["reasons"].to_list()
    origin = {"batch_id": batch, "supplied_at": COMPLETE_UNTIL, "content_sha256": batch, "known_at": COMPLETE_UNTIL}
    insert(con, "tickets_1777", table, [{**row, **origin} for row in outcome.accepted.to_dicts()])


def asked(key: str, moment: str, closed: str | None = None, **more: str) -> Row:
    state = {"status": "closed", "updated_datetime": closed} if closed else {"status": "open"}
    return {"service_request_id": key, "requested_datetime": moment, **state, **more}


def happened(key: str, kind: str, moment: str, status: str | None = None, event_id: str | None = None) -> Row:
    named = {"service_request_id": key, "event_id": event_id or f"{kind}/{moment}", "event_type": kind}
    return {**named, "status": status, "event_datetime": moment}


ASKED = "2026-06-01T09:00:00+02:00"  # a Monday: the term ends with Monday 8 June
IN_TIME, TOO_LATE = "2026-06-08T23:59:00+02:00", "2026-06-09T00:00:00+02:00"
IN_SEPTEMBER, BEHIND = "2026-09-01T09:00:00+02:00", "2026-09-01T08:59:33+02:00"
REQUESTS = [
    *(asked(moment, moment.replace("Z", ":00Z")) for moment in VECTORS),
    asked("replied", ASKED),
    asked("replied_late", ASKED),
    asked("acknowledged", ASKED),
    asked("closed_only", ASKED, IN_TIME),
    asked("closed_late", ASKED, TOO_LATE),
    asked("reply_before_closing", ASKED, TOO_LATE),
    asked("reopened", ASKED, "2026-07-01T09:00:00+02:00"),
    asked("reopened_by_status", ASKED),
    asked("parent", ASKED, IN_TIME),
    asked("child", ASKED, TOO_LATE, duplicate_of="parent"),
    asked("orphan", ASKED, IN_TIME, duplicate_of="nowhere"),
    asked("circle_a", ASKED, IN_TIME, duplicate_of="circle_b"),
    asked("circle_b", ASKED, IN_TIME, duplicate_of="circle_a"),
    asked("own_child", ASKED, IN_TIME, duplicate_of="own_child"),
    asked("said_withdrawn", ASKED),
    asked("missing", ASKED),
    asked("spam", ASKED, TOO_LATE, status_description="Spam"),
    asked("first_line", ASKED, "2026-06-01T09:02:00+02:00", is_first_line="true"),
    # three of which the clock of the change runs behind that of the question, and one closed as a duplicate of nobody
    asked("ran_behind_open", IN_SEPTEMBER, updated_datetime=BEHIND),
    asked("ran_behind_closed", IN_SEPTEMBER, BEHIND),
    asked("ran_behind_in_the_log", IN_SEPTEMBER),
    asked("log_says_duplicate", IN_SEPTEMBER, "2026-09-02T09:00:00+02:00"),
    asked("handed_over", "2026-06-02T09:00:00+02:00", "2026-06-03T09:00:00+02:00", service_code="SLU"),
    asked("young", "2026-12-30T09:00:00+01:00"),
    asked("young_but_answered", "2026-12-30T09:00:00+01:00", "2026-12-30T10:00:00+01:00"),
]
EVENTS = [
    happened("replied", "replied", IN_TIME),
    happened("replied_late", "replied", TOO_LATE),
    happened("acknowledged", "auto_ack", "2026-06-01T09:00:05+02:00"),
    happened("reply_before_closing", "replied", "2026-06-02T09:00:00+02:00"),
    happened("reply_before_closing", "closed", TOO_LATE, "closed"),
    happened("reopened", "replied", "2026-06-02T09:00:00+02:00"),
    happened("reopened", "closed", "2026-06-02T09:00:00+02:00", "closed", "c1"),
    happened("reopened", "reopened", "2026-06-15T09:00:00+02:00", "open"),
    happened("reopened", "status", "2026-06-15T09:00:01+02:00", "open"),
    happened("reopened_by_status", "closed", "2026-06-03T09:00:00+02:00", "closed"),
    happened("reopened_by_status", "status", "2026-06-10T09:00:00+02:00", "open"),
    happened("reopened_by_status", "replied", "2026-06-11T09:00:00+02:00", "open"),
    happened("said_withdrawn", "withdrawn", "2026-06-02T09:00:00+02:00"),
    happened("missing", "withdrawn", "2026-12-31T13:00:00+01:00", event_id="missing/2026-12-31T12:00:00Z"),
    happened("nobody", "replied", IN_TIME),
    happened("ran_behind_in_the_log", "closed", BEHIND, "closed"),
    happened("log_says_duplicate", "duplicate", "2026-09-02T09:00:00+02:00"),
]


@pytest.fixture(scope="module")
def answered(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = tmp_path_factory.mktemp("answered") / "warehouse.duckdb"
    measure_again(warehouse, built, _land_questions)
    return warehouse


def _land_questions(con: duckdb.DuckDBPyConnection) -> None:
    land(con, "requests", REQUESTS)
    land(con, "events", EVENTS)
    write_status(con, [("tickets_1777", COMPLETE_UNTIL, COMPLETE_UNTIL)])


def rows(warehouse: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with connect(warehouse) as con:
        return con.execute(query, list(values)).fetchall()


def cycles(warehouse: Path, key: str, columns: str = "outcome") -> list[tuple[Any, ...]]:
    query = f"select {columns} from personal.fct_ticket_cycles where service_request_id = ? order by cycle_no"
    return rows(warehouse, query, key)


def ticket(warehouse: Path, key: str, columns: str) -> tuple[Any, ...]:
    (found,) = rows(warehouse, f"select {columns} from personal.fct_tickets where service_request_id = ?", key)
    return found


@pytest.mark.parametrize(("moment", "due"), VECTORS.items())
def test_the_promise_ends_with_the_fifth_working_day_after_the_day_of_the_question(
    answered: Path, moment: str, due: str
) -> None:
    assert cycles(answered, moment, "due_date::varchar") == [(due,)]


@pytest.mark.parametrize(("moment", "last"), LAST_MOMENTS.items())
def test_a_term_over_the_change_of_clock_still_ends_at_local_midnight(answered: Path, moment: str, last: str) -> None:
    [(due_at,)] = cycles(answered, moment, "due_at")
    assert due_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") == last


@pytest.mark.parametrize(
    ("key", "outcome", "ended_by"),
    [
        ("replied", "on_time", "reply"),
        ("replied_late", "late", "reply"),
        ("acknowledged", "overdue_open", ""),
        ("closed_only", "on_time", "closing"),
        ("closed_late", "late", "closing"),
        ("reply_before_closing", "on_time", "reply"),
        ("young", "pending", ""),
    ],
)
def test_the_first_reply_stops_the_clock_an_acknowledgement_does_not_and_closing_stands_in(
    answered: Path, key: str, outcome: str, ended_by: str
) -> None:
    assert cycles(answered, key, "outcome, is_closure_proxy") == [(outcome, ended_by == "closing")]


@pytest.mark.parametrize(
    ("key", "outcome"),
    [("ran_behind_open", "overdue_open"), ("ran_behind_closed", "on_time"), ("ran_behind_in_the_log", "on_time")],
)
def test_tickets_clocks_that_run_apart_leave_a_question_counted_open_or_answered(
    answered: Path, key: str, outcome: str
) -> None:
    assert ticket(answered, key, "outcome, is_counted") == (outcome, True)


def test_a_question_that_the_log_closes_as_a_duplicate_is_one_and_no_answer(answered: Path) -> None:
    assert ticket(answered, "log_says_duplicate", "is_duplicate, is_counted") == (True, False)


def test_working_days_to_reply_do_not_count_the_day_of_the_question(answered: Path) -> None:
    assert cycles(answered, "replied", "working_days_to_reply") == [(5,)]
    assert cycles(answered, "reply_before_closing", "working_days_to_reply") == [(1,)]


def test_a_reopened_question_gets_a_term_of_its_own_and_one_reopening_said_twice_is_one(answered: Path) -> None:
    found = cycles(answered, "reopened", "cycle_no, started_date::varchar, due_date::varchar, outcome")
    assert found == [(1, "2026-06-01", "2026-06-08", "on_time"), (2, "2026-06-15", "2026-06-22", "late")]
    assert ticket(answered, "reopened", "outcome, cycles, is_every_cycle_on_time") == ("on_time", 2, False)


def test_open_after_closed_is_a_reopening_too(answered: Path) -> None:
    assert cycles(answered, "reopened_by_status") == [("on_time",), ("on_time",)]
    assert ticket(answered, "reopened_by_status", "is_every_cycle_on_time") == (True,)


@pytest.mark.parametrize("key", ["child", "said_withdrawn", "missing", "spam", "first_line"])
def test_duplicates_withdrawn_and_first_line_questions_stay_out_of_the_share(answered: Path, key: str) -> None:
    assert ticket(answered, key, "is_counted") == (False,)


@pytest.mark.parametrize(
    ("key", "problem"),
    [("orphan", "missing"), ("circle_a", "cyclic"), ("circle_b", "cyclic"), ("own_child", "cyclic"), ("parent", None)],
)
def test_a_duplicate_without_a_first_one_counts_and_says_so(answered: Path, key: str, problem: str | None) -> None:
    assert ticket(answered, key, "is_counted, duplicate_problem") == (True, problem)


def test_the_department_is_the_one_the_city_agreed_for_the_theme(answered: Path) -> None:
    assert ticket(answered, "handed_over", "department_id, theme_nl") == ("klimaat", "Sluikstorten")
    assert ticket(answered, "replied", "department_id, theme_nl") == (None, None)


def test_the_share_of_a_month_counts_what_is_over_whatever_became_of_it(answered: Path) -> None:
    columns = "n, round(value, 4), calculation_version, empty_reason_nl"
    query = f"select {columns} from kpi.kpi_tickets_on_time where period_start = ?"
    # of the 14 counted of June: replied_late, acknowledged and closed_late are not in time
    assert rows(answered, query, date(2026, 6, 1)) == [(14, round(1100 / 14, 4), "wd5-v2", None)]
    # one: the last vector's term ends in January, and the two of 30 December are young
    assert rows(answered, query, date(2026, 12, 1)) == [(None, None, "wd5-v2", "minder dan vijf vragen")]


def test_a_month_shows_what_stands_beside_the_share(answered: Path) -> None:
    counted = """n_received, n_first_line, n_duplicate, n_withdrawn, n_doubtful_duplicate, n, n_on_time, n_late,
        n_overdue_open, n_closure_proxy"""
    table = "intermediate.int_tickets_1777__monthly_counts"
    query = f"select {counted} from {table} where month_start = ? and department_id = ?"
    assert rows(answered, query, date(2026, 6, 1), "onbekend") == [(18, 1, 1, 3, 4, 13, 10, 2, 1, 8)]
    assert rows(answered, query, date(2026, 6, 1), "klimaat") == [(1, 0, 0, 0, 0, 1, 1, 0, 0, 1)]
    pending = f"select sum(n_pending) from {table}"
    assert rows(answered, f"{pending} where month_start = '2026-12-01'") == [(3,)]
    state = "select bool_or(is_settled), bool_or(is_calendar_assumed) from marts.fct_ticket_service_monthly"
    assert rows(answered, f"{state} where month_start = '2026-06-01'") == [(True, False)]
    assert rows(answered, f"{state} where month_start = '2026-12-01'") == [(False, True)]


def test_a_department_with_one_question_is_hidden_with_the_one_beside_it(answered: Path) -> None:
    query = """select department_id, is_suppressed, n, n_late, on_time_percent, median_working_days
        from marts.fct_ticket_service_monthly where month_start = '2026-06-01' order by department_id"""
    assert rows(answered, query) == [("klimaat", True, *[None] * 4), ("onbekend", True, *[None] * 4)]


def test_the_other_kpis_of_the_month_stand_beside_the_share(answered: Path) -> None:
    query = "select kpi_id, round(value, 2), n from kpi.kpi_ticket_service where period_start = '2026-06-01' order by 1"
    assert rows(answered, query) == [
        ("tickets_median_working_days", 5.0, 13),
        ("tickets_overdue_backlog", 4.0, None),
        ("tickets_p90_working_days", 6.0, 13),
        ("tickets_reopen_rate", round(200 / 14, 2), 14),
    ]


@pytest.mark.parametrize("days", [0, 7])
def test_a_feed_that_stands_still_keeps_its_96_percent_for_the_seven_days_after(
    built: Built, tmp_path: Path, days: int
) -> None:
    stopped = datetime(2026, 12, 10, 8, tzinfo=UTC)
    week = [asked(f"q{number}", "2026-11-30T09:00:00+01:00", "2026-12-01T09:00:00+01:00") for number in range(96)]
    late = [asked(f"late{number}", "2026-11-30T09:00:00+01:00") for number in range(4)]
    # asked in the last days: their terms still run when the feed stops
    young = [asked(f"young{number}", "2026-12-08T09:00:00+01:00") for number in range(20)]

    def land_the_feed(con: duckdb.DuckDBPyConnection) -> None:
        land(con, "requests", [*week, *late, *young])
        write_build(con, f"build-{days}", stopped.date() + timedelta(days=days), "kortrijk", is_synthetic=True)
        write_status(con, [("tickets_1777", stopped, stopped + timedelta(days=days))])

    measure_again(tmp_path / "warehouse.duckdb", built, land_the_feed)
    values = rows(tmp_path / "warehouse.duckdb", "select round(value, 6), n from kpi.kpi_tickets_on_time")
    assert values == [(96.0, 100)]


@pytest.mark.real
def test_a_real_half_year_is_answered_in_time_as_often_as_counted_by_hand(
    real_data: Path, dbt: Callable[..., Dbt], landing: Callable[..., Path]
) -> None:
    from ingestion.demo_city import real_exports  # noqa: PLC0415 - another room, only for real files
    from ingestion.sources.tickets_1777 import flatten  # noqa: PLC0415

    warehouse, known_at = landing("boston"), datetime(2026, 6, 7, 6, tzinfo=UTC)
    outcome = split(
        flatten(list(real_exports.tickets(real_data))),
        all_contracts()["tickets_1777"].table("requests"),
        city_named("boston"),
        known_at,
    )
    origin = {"batch_id": "b1", "supplied_at": known_at, "content_sha256": "a", "known_at": known_at}
    with connect(warehouse) as con:
        insert(con, "tickets_1777", "requests", [{**row, **origin} for row in outcome.accepted.to_dicts()])
        write_status(con, [("tickets_1777", known_at, known_at)])
    assert dbt(warehouse, "--select", "+kpi_tickets_on_time", *ONLY, city="boston").failed() == []
    counted = """select count(*), count(*) filter (where outcome = 'on_time'),
        count(*) filter (where is_closure_proxy), count(distinct theme_nl)
        from personal.fct_ticket_cycles where is_counted and is_term_over"""
    [(asked_for, on_time, proxies, themes)] = rows(warehouse, counted)
    assert (asked_for, on_time, proxies) == (58_251, 38_649, 54_570)
    assert themes > 10
    months = rows(warehouse, "select sum(n), sum(n * value / 100) from kpi.kpi_tickets_on_time")
    assert [(total, round(in_time)) for total, in_time in months] == [(58_251, 38_649)]
