"""A source of which half is missing: its KPIs are not verified, and the reason says how much came."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.quality import judge_quality
from tests.dbt.landed_rows import COMPLETE_UNTIL, ORIGIN
from tests.dbt.warehouses import Built, insert, make_again
from warehouse.engine import connect

HALF = "slechts 50% van de verwachte gegevens is binnen; 95% is nodig"


@pytest.fixture
def con(built: Built, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The small Kortrijk, for a test to land more in."""
    shutil.copy(built.warehouse, tmp_path / "warehouse.duckdb")
    with connect(tmp_path / "warehouse.duckdb") as con:
        yield con


def _verdicts(
    con: duckdb.DuckDBPyConnection, built: Built, first: str, **accepted: float
) -> dict[str, tuple[str, list[str]]]:
    make_again(con, built.judged, first, "fct_kpi_observations")
    columns = "kpi_id, kpi_model, area_id, ref_date, completeness"
    judged = judge_quality(
        built.judged.manifest(),
        [],
        {},
        pl.DataFrame(con.sql(f"select {columns} from marts.fct_kpi_observations").to_arrow_table()),
        pl.DataFrame(
            [(source, None, share) for source, share in accepted.items()],
            {"source": pl.String, "kpi_id": pl.String, "accepted_share": pl.Float64},
            orient="row",
        ),
        pl.DataFrame(con.sql("from marts.dim_target").to_arrow_table()),
        "build-1",
    )
    return {row["kpi_id"]: (row["verdict"], row["reasons"]) for row in judged.iter_rows(named=True)}


def test_a_week_that_one_of_two_teams_skipped_verifies_nothing(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    for origin in (
        "renovatie_2026-W46_leiedal.csv",
        "renovatie_2026-W46_kortrijk.csv",
        "renovatie_2026-W47_kortrijk.csv",
    ):
        con.execute(
            """insert into landing.loaded_batches by name
            select ? as batch_id, 'renovation_coach' as source, ? as origin, ? as complete_until""",
            [origin, origin, COMPLETE_UNTIL],
        )
    verdicts = _verdicts(con, built, "int_renovation_coach__week_completeness")
    for kpi_id in ("renovation_custom_trajectories", "renovation_collective", "renovation_coached_households"):
        assert verdicts[kpi_id] == ("unverified", [HALF])
    assert verdicts["charge_points_total"] == ("verified", [])


def test_a_crawl_of_which_half_was_refused_verifies_nothing(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    crawl = {
        "started_at": ORIGIN["supplied_at"],
        "ended_at": ORIGIN["supplied_at"],
        "is_full": True,
        "location_count": 4,
        "evse_count": 8,
        "crawl_date": COMPLETE_UNTIL.date(),
        **ORIGIN,
    }
    insert(con, "charge_points", "crawls", [crawl])
    verdicts = _verdicts(con, built, "int_charge_points__crawl_completeness")
    assert verdicts["charge_points_total"] == ("unverified", [HALF])
    assert verdicts["renovation_collective"] == ("verified", [])


WORKING_DAYS = [date(2026, 11, day) for day in (3, 4, 5, 6, 9, 10, 12, 13, 16, 17, 18, 19, 20)]
TICKET_KPIS = ("tickets_1777_5wd", "tickets_overdue_backlog", "tickets_median_working_days", "tickets_reopen_rate")


def _asked_on(days: Sequence[date], a_day: int) -> list[Mapping[str, object]]:
    """Questions of these days, each answered the day after."""
    moments = [datetime(day.year, day.month, day.day, 9, tzinfo=UTC) for day in days for _ in range(a_day)]
    return [
        {
            "service_request_id": str(number),
            "status": "closed",
            "requested_at": asked,
            "closed_at": asked + timedelta(days=1),
            "requested_date": asked.date(),
            **ORIGIN,
        }
        for number, asked in enumerate(moments)
    ]


@pytest.mark.parametrize(
    ("days", "a_day", "reasons"),
    [
        pytest.param(WORKING_DAYS, 6, [], id="whole"),
        # seven of the thirteen working days
        pytest.param(WORKING_DAYS[::2], 6, [HALF.replace("50%", "53,8%")], id="half"),
        # so few a day that a day without any is no surprise
        pytest.param(WORKING_DAYS[::2], 4, [], id="few"),
    ],
)
def test_questions_of_half_the_working_days_verify_nothing_where_five_a_day_are_usual(
    con: duckdb.DuckDBPyConnection, built: Built, days: Sequence[date], a_day: int, reasons: list[str]
) -> None:
    con.execute("delete from landing.tickets_1777__requests")
    insert(con, "tickets_1777", "requests", _asked_on(days, a_day))
    verdicts = _verdicts(con, built, "fct_ticket_cycles")
    expected = ("unverified" if reasons else "verified", reasons)
    assert {kpi_id: verdicts[kpi_id] for kpi_id in TICKET_KPIS} == dict.fromkeys(TICKET_KPIS, expected)
    assert verdicts["renovation_collective"] == ("verified", [])


def test_questions_of_which_half_was_refused_verify_nothing(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    verdicts = _verdicts(con, built, "fct_ticket_cycles", tickets_1777=0.5)
    reason = "slechts 50% van de rijen van tickets_1777 is aanvaard; 98% is nodig"
    assert {kpi_id: verdicts[kpi_id] for kpi_id in TICKET_KPIS} == dict.fromkeys(TICKET_KPIS, ("unverified", [reason]))
    assert verdicts["renovation_collective"] == ("verified", [])


def test_refused_rows_of_one_department_are_no_affair_of_another(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    row = {"area_id": "34022", "ref_date": date(2026, 10, 31), "value": 1.0, "unit": "x"}
    delivered = {"wonen 2026.csv": {"trees_extra": 66}, "groen.xlsx": {"kb": 10}, "mobiliteit.csv": {"kc": 9, "kd": 9}}
    for origin, counts in delivered.items():
        con.execute(
            """insert into landing.loaded_batches by name
            select ? as batch_id, 'indicators' as source, ? as origin, ? as supplied_at""",
            [origin, origin, ORIGIN["supplied_at"]],
        )
        for kpi_id, count in counts.items():
            insert(con, "indicators", "observations", [row | ORIGIN | {"batch_id": origin, "kpi_id": kpi_id}] * count)
    con.execute("""insert into landing.refused_kpis values
        ('wonen 2026.csv', 'indicators', 'trees_extra', 6), ('mobiliteit.csv', 'indicators', 'een slip', 1)""")
    make_again(con, built.judged, "stg_pipeline__refused_kpis", "int_indicators__accepted_shares")
    found = dict(con.sql("from intermediate.int_indicators__accepted_shares").fetchall())
    # a row of which the indicator cannot be read counts against both of its sender
    assert found == pytest.approx({"trees_extra": 66 / 72, "kb": 1, "kc": 0.9, "kd": 0.9})
