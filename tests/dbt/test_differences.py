"""What published builds tell together: no difference over tables, rows and builds finds a group of one to four."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from tests.dbt.differences import Known, attack
from tests.dbt.landed_rows import ORIGIN
from tests.dbt.warehouses import Built, insert, judge_again, measure_again
from warehouse.load import write_status
from warehouse.published.contents import warehouse_contents
from warehouse.published.duckdb_file import DuckdbFile
from warehouse.published.parquet import ParquetFiles

FIRST = date(2026, 3, 1)
# the day after the last term of July, of August and of September
BUILDS = (date(2026, 8, 10), date(2026, 9, 9), date(2026, 10, 9))
# how many ask a month: three departments of one theme, one of two, and a theme that no department has
ASKED = {"AFV": 30, "SLU": 3, "GRO": 12, "SIG": 5, "OVE": 4, "XXX": 1}


def _questions() -> Iterator[Mapping[str, Any]]:
    """Few of most themes, answered at once, late or never; and no question in some months."""
    chance = Random(1777)  # noqa: S311 - the same city every time
    for month in range(FIRST.month, 10):
        for code, usual in ASKED.items():
            for number in range(chance.randint(0, 2 * usual)):
                asked = datetime(2026, month, chance.randint(1, 28), 9, tzinfo=UTC)
                yield _question(f"{code}-{month}-{number}", code, asked, chance)


def _question(key: str, code: str, asked: datetime, chance: Random) -> Mapping[str, Any]:
    answered = chance.choice((asked + timedelta(days=1), asked + timedelta(days=1), asked + timedelta(days=20), None))
    return {
        "service_request_id": key,
        "status": "closed" if answered else "open",
        "requested_at": asked,
        "updated_at": answered,
        "closed_at": answered,
        "requested_date": asked.date(),
        "service_code": code,
        "service_name": code,
        "sector_id": f"34022{chance.choice('ABD')}0{chance.choice('011234567')}-",
        "is_first_line": chance.random() < 0.1,
        **ORIGIN,
    }


def _land(con: duckdb.DuckDBPyConnection, day: date) -> None:
    until = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    insert(con, "tickets_1777", "requests", [row for row in _questions() if row["requested_at"] < until])
    write_status(con, [("tickets_1777", until, None)])


@pytest.fixture(scope="module")
def builds(built: Built, once_per_run: Callable[..., Path]) -> list[Path]:
    """What readers of three successive builds of a small city have: a DuckDB file each, and Parquet beside it."""

    def publish(folder: Path) -> None:
        for day in BUILDS:
            (folder / f"{day}").mkdir()
            warehouse = folder / f"{day}" / "warehouse.duckdb"
            measure_again(warehouse, built, partial(_land, day=day))
            if day != BUILDS[0]:
                judge_again(warehouse, built)
            with warehouse_contents(warehouse, f"{day}", ("marts", "verdicts")) as contents:
                DuckdbFile().write(contents, folder / f"{day}", None)
                ParquetFiles().write(contents, folder / f"{day}", None)

    folder = once_per_run("successive_builds", publish)
    return [folder / f"{day}" / "ademruimte.duckdb" for day in BUILDS]


def _read(build: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(build), read_only=True) as con:
        return con.execute(query, list(values)).fetchall()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_difference_over_tables_and_builds_finds_a_small_group_of_questions(builds: list[Path], count: int) -> None:
    findings = attack(builds[-count:])
    assert findings.hidden > 5
    assert findings.found == []


def test_the_attack_finds_what_only_hides_the_small_cell_itself() -> None:
    known = Known({("groen", "Groen", FIRST), ("klimaat", "Afval", FIRST), ("klimaat", "Storten", FIRST)})
    small = known.of("groen", None, [FIRST])
    known.tell(known.of(None, None, [FIRST]), 38)
    known.tell(known.of("klimaat", None, [FIRST]), 35)
    assert known.bounds([small]) == {small: (3, 3)}


def test_the_attack_finds_the_hidden_months_of_a_count_that_grows() -> None:
    months = [date(2026, number, 1) for number in range(1, 5)]
    known = Known({("groen", "Groen", month) for month in months})
    for place, counted in enumerate((38, 40, 41, 42), start=1):
        known.tell(known.of(None, None, months[:place]), counted)
    hidden = [known.of(None, None, [month]) for month in months[1:]]
    assert [known.bounds([month])[month] for month in hidden] == [(2, 2), (1, 1), (1, 1)]


def test_most_departments_are_told_by_month_with_late_answers_however_few(builds: list[Path]) -> None:
    told = """select count(*), count(n_late), count(*) filter (where n_late between 1 and 4)
        from marts.fct_ticket_service_monthly where is_settled and department_id in ('klimaat', 'groen')"""
    [(cells, shown, few)] = _read(builds[-1], told)
    assert shown > cells / 2
    assert few > 0


@pytest.mark.parametrize(
    "table", ["fct_ticket_service_monthly", "fct_ticket_service_quarterly", "fct_ticket_service_rolling"]
)
def test_every_empty_cell_says_why_and_what_is_hidden_has_its_flag(builds: list[Path], table: str) -> None:
    for build in builds:
        # a cell that is shown may lack how long a reply took, for want of one
        silent = f"""select * from marts.{table}
            where (n is null or n = 0) != (coalesce(empty_reason_nl, 'nog geen antwoord') != 'nog geen antwoord')
            or is_suppressed != (coalesce(empty_reason_nl, '') like 'minder dan vijf%')"""
        assert _read(build, silent) == []
        hidden = f"select columns('^(n|n_.*|.*_percent|.*_days|wilson_.*)$') from marts.{table} where is_suppressed"
        assert {value for row in _read(build, hidden) for value in row} <= {None}


def test_a_month_of_a_department_that_was_told_is_told_by_the_next_build_too(builds: list[Path]) -> None:
    query = "select department_id, month_start, n from marts.fct_ticket_service_monthly where n is not null"
    earlier, *later = [set(_read(build, query)) for build in builds]
    for build in later:
        assert earlier <= build
        earlier = build


def test_a_backlog_names_no_number_of_questions_that_months_could_be_taken_from(builds: list[Path]) -> None:
    rows = "select value, n, empty_reason_nl from marts.fct_kpi_observations where kpi_id = 'tickets_overdue_backlog'"
    told = _read(builds[-1], rows)
    assert len(told) > 5
    assert {(n, reason) for _, n, reason in told} == {(None, None)}


def test_neighbourhoods_are_those_of_a_whole_quarter_and_add_up_to_the_city(builds: list[Path]) -> None:
    told = """select label_nl, n from verdicts.fct_gap_drivers
        where target_id = 'tickets_1777_5wd' and driver_type = 'sector'"""
    sectors = _read(builds[-1], told)
    assert any("Andere buurten van" in str(label) for label, _ in sectors)
    assert min(n for _, n in sectors) >= 5
    quarter = """select sum(n) from marts.fct_kpi_observations
        where kpi_id = 'tickets_1777_5wd' and period_start between '2026-07-01' and '2026-09-30'"""
    assert _read(builds[-1], quarter) == [(sum(n for _, n in sectors),)]
    # no window slides over July and August, of which every term is over: what one month adds would be a difference
    assert all("2e kwartaal 2026" in str(label) for label, _ in _read(builds[-2], told) if label != "Overige")


def test_the_parquet_beside_the_file_tells_the_same(builds: list[Path]) -> None:
    for table in ("fct_ticket_service_monthly", "fct_ticket_service_quarterly", "fct_ticket_service_rolling"):
        parquet = builds[-1].parent / "parquet" / "marts" / f"{table}.parquet"
        query = "select * from {} except select * from {}"
        assert _read(builds[-1], query.format(f"marts.{table}", f"'{parquet}'")) == []
