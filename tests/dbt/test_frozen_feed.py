"""A feed that falls silent: its last value stands for seven days, then it is old; it never falls behind by waiting."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.dbt.landed_rows import ORIGIN
from tests.dbt.warehouses import Built, insert, make_again
from warehouse.engine import connect

LAST_SPOKEN = date(2026, 11, 22)


@pytest.fixture
def frozen(built: Built, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Kortrijk in which 96 of 100 questions were answered in time; its source spoke last on 22 November."""
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(built.warehouse, warehouse)
    asked = datetime(2026, 11, 3, 9, tzinfo=UTC)
    questions = [
        {
            "service_request_id": str(number),
            "status": "closed",
            "requested_at": asked,
            "closed_at": asked + timedelta(days=1 if number < 96 else 14),
            "requested_date": asked.date(),
            **ORIGIN,
        }
        for number in range(100)
    ]
    with connect(warehouse) as con:
        con.execute("delete from landing.tickets_1777__requests")
        insert(con, "tickets_1777", "requests", questions)
        make_again(con, built.judged, first="fct_ticket_cycles", last="int_target_verdicts")
        yield con


def _said(con: duckdb.DuckDBPyConnection, built: Built, days: int) -> tuple[str, float]:
    con.execute("update marts.dim_build set as_of_date = ?", [LAST_SPOKEN + timedelta(days=days)])
    make_again(con, built.judged, first="int_target_verdicts", last="int_target_verdicts")
    [row] = con.execute(
        "select status, value from intermediate.int_target_verdicts where target_id = 'tickets_1777_5wd'"
    ).fetchall()
    return row


def test_a_frozen_feed_stays_at_its_value_for_seven_days_and_is_then_stale(
    frozen: duckdb.DuckDBPyConnection, built: Built
) -> None:
    judged, _ = _said(frozen, built, days=0)
    assert judged in {"on_track", "at_risk"}
    assert [_said(frozen, built, days) for days in range(8)] == [(judged, 96)] * 8
    assert [_said(frozen, built, days) for days in (8, 30, 400)] == [("stale", 96)] * 3
