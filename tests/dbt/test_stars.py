"""The published tables as stars: every key names a row, every fact stands in the calendar and says what a row is."""

import re

import pytest

from contracts.marts.descriptions import SEVERAL
from contracts.marts.keys import DATE_KEY, KEYS, NO_KEYS
from orchestration.power_bi import read_marts
from tests.dbt.warehouses import Built
from warehouse.published.powerbi.marts import Link, Mart, MartColumn, Marts

KEY = re.compile(r"_(id|key)$")


@pytest.fixture(scope="module")
def marts(built: Built) -> Marts:
    return read_marts(built.judged.manifest())


def wanting(marts: Marts) -> list[str]:
    """The keys of published tables that no relationship test of dbt holds to the row they name."""
    stated = set(marts.links)
    return [
        f"{mart.name}.{column.name}"
        for mart in marts.tables
        for column in mart.columns
        if not _is_said(mart, column) and not _links(mart, column) & stated
    ]


def _links(mart: Mart, column: MartColumn) -> set[Link]:
    named = KEYS.get(column.name)
    return {Link(mart.name, column.name, *named)} if named else set()


def _is_said(mart: Mart, column: MartColumn) -> bool:
    if column.name in KEYS:
        # its own key, or a word that is no key in this table
        return KEYS[column.name] == (mart.name, column.name) or f"{mart.name}.{column.name}" in NO_KEYS
    return column.name in NO_KEYS or KEY.search(column.name) is None


def test_every_key_of_every_published_table_is_held_to_the_row_it_names(marts: Marts) -> None:
    assert wanting(marts) == []


def test_a_new_fact_whose_key_or_unknown_code_nobody_holds_to_a_row_is_named(marts: Marts) -> None:
    columns = tuple(MartColumn(name, "varchar", "") for name in ("kpi_id", "wijk_id", "value"))
    fact = Mart("marts", "fct_new", "", columns, None)
    assert wanting(Marts.of([*marts.tables, fact], marts.links)) == ["fct_new.kpi_id", "fct_new.wijk_id"]


def test_nothing_is_excused_that_is_not_there(marts: Marts) -> None:
    there = {
        name for mart in marts.tables for column in mart.columns for name in (column.name, f"{mart.name}.{column.name}")
    }
    assert NO_KEYS.keys() <= there
    assert KEYS.keys() <= there


def test_every_fact_has_the_day_that_relates_it_to_the_calendar(marts: Marts) -> None:
    facts = [mart for mart in marts.tables if mart.name.startswith("fct_")]
    assert len(facts) > 25
    for fact in facts:
        assert [column.type for column in fact.columns if column.name == DATE_KEY] == ["date"], fact.name


def test_every_fact_says_what_one_row_of_it_is(marts: Marts) -> None:
    silent = [
        mart.name for mart in marts.tables if mart.name.startswith("fct_") and "één rij per " not in mart.description
    ]
    assert silent == []


def test_the_calendar_begins_with_the_first_baseline_and_ends_in_2050(built: Built) -> None:
    assert built.rows("select min(date_day)::varchar, max(date_day)::varchar from marts.dim_date") == [
        ("2005-01-01", "2050-12-31")
    ]
    assert built.rows("select min(baseline_date)::varchar >= '2005-01-01' from marts.dim_target") == [(True,)]


def test_no_row_of_a_fact_stands_outside_the_calendar(built: Built, marts: Marts) -> None:
    outside = {
        mart.name: built.rows(
            f"select count(*) from {mart.schema}.{mart.name} anti join marts.dim_date on date_key = date_day "
            "where date_key is not null"
        )
        for mart in marts.tables
        if mart.name.startswith("fct_")
    }
    assert {name: found for name, found in outside.items() if found != [(0,)]} == {}


def test_what_no_agreement_gives_to_a_department_joins_to_a_row_that_says_so(built: Built) -> None:
    told = built.rows(
        """select distinct name_nl, is_listed from marts.fct_ticket_backlog
        inner join marts.dim_department using (department_id)"""
    )
    assert told == [("Onbekend", False)]


def test_a_charge_point_that_is_gone_keeps_its_row(built: Built) -> None:
    ever, now = built.rows("select count(*), count(*) filter (where is_present) from marts.dim_charge_point")[0]
    assert ever >= now == built.rows("select count(*) from marts.fct_charge_points")[0][0]


def test_a_name_of_a_column_means_one_thing_in_every_table_or_says_why_it_does_not(marts: Marts) -> None:
    meanings: dict[str, set[str]] = {}
    for mart in marts.tables:
        for column in mart.columns:
            meanings.setdefault(column.name, set()).add(column.description)
    assert {name for name, found in meanings.items() if len(found) > 1} == SEVERAL.keys()


def test_a_name_of_a_column_has_one_type_and_none_is_a_list(marts: Marts) -> None:
    types: dict[str, set[str]] = {}
    for mart in marts.tables:
        for column in mart.columns:
            types.setdefault(column.name, set()).add(column.type)
    assert {name: found for name, found in types.items() if len(found) > 1} == {}
    assert [name for name, found in types.items() if any(each.endswith("]") for each in found)] == []


def test_why_data_are_doubted_is_a_text_and_empty_where_they_are_not(built: Built) -> None:
    told = built.rows("select dq_verdict, count(dq_reasons), count(*) from verdicts.fct_target_verdicts group by 1")
    doubts = {verdict: (said, rows) for verdict, said, rows in told}
    assert doubts["verified"][0] == 0 < doubts["verified"][1]
    assert doubts["unverified"][0] > 0
