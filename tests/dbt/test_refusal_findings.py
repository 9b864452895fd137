"""Where a refusal moves a figure one way something tells of it: what that finds, on the SQL that dbt runs."""

import re
from pathlib import Path

import duckdb
import pytest
from jinja2 import Environment

from orchestration.quality import downstream_kpi_models, failing_models
from tests.dbt.warehouses import Built

_DBT = Path(__file__).parents[2] / "dbt_project"


def _found(sql: str, *tables: str, **named: str) -> list[tuple[object, ...]]:
    rendered = (
        Environment(autoescape=False)  # noqa: S701 - SQL, no page
        .from_string(sql)
        .render(ref=lambda name: name, config=lambda **_: "", **named)
    )
    with duckdb.connect() as con:
        for table in tables:
            con.execute(table)
        return con.execute(rendered).fetchall()


@pytest.mark.parametrize(("silent", "found"), [(0, []), (2, []), (3, [(100, 3)])])
def test_closed_questions_that_say_no_moment_are_a_finding_from_one_in_fifty_on(
    silent: int, found: list[tuple[int, int]]
) -> None:
    tickets = f"""
    create table fct_tickets as
    select 'closed' as status, case when number >= {silent} then now() end as replied_at from range(100) as r (number)
    union all select 'open', null from range(50)
    """
    assert _found((_DBT / "tests" / "closed_questions_say_when.sql").read_text("utf-8"), tickets) == found


@pytest.mark.parametrize(("refused", "found"), [(0, []), (1, [("new", 1)])])
def test_one_refused_line_of_the_newest_register_is_a_finding_and_those_of_older_ones_are_none(
    refused: int, found: list[tuple[str, int]]
) -> None:
    macro = (_DBT / "macros" / "no_line_was_refused.sql").read_text("utf-8")
    (sql,) = re.findall(r"{% test .*? %}(.*){% endtest %}", macro, re.DOTALL)
    counts = f"""
    create table stg_pipeline__batch_counts as
    select * from (values ('old', 'connections', 3), ('new', 'connections', {refused}), ('new', 'readings', 9))
    as counts (batch_id, table_name, quarantined)
    """
    register = "create table register as select 'new' as batch_id from range(7)"
    assert _found(sql, counts, register, model="register", table_name="connections") == found


def test_a_refused_line_of_the_register_casts_doubt_on_what_buildings_use_and_on_nothing_else(built: Built) -> None:
    manifest = built.measured.manifest()
    (test,) = (key for key in manifest["nodes"] if ".no_line_was_refused" in key)
    failing = failing_models(manifest, [{"unique_id": test, "status": "warn", "failures": 1}])
    doubted = downstream_kpi_models(manifest, failing)
    assert doubted
    assert all("energy" in name or "co2" in name for name in doubted), set(doubted)
    assert all("gebouwenregister" in reason for reasons in doubted.values() for reason in reasons)
