"""What a refusal takes away is said beside each rule, and where that moves a figure one way something tells of it."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from contracts.reasons import possible
from contracts.registry import all_contracts
from contracts.vocabulary import EVENLY, Column, Noted, Refused, TableContract, Way

_DBT = Path(__file__).parents[2] / "dbt_project"
_TABLES = {f"{contract.name}.{table.name}": table for contract in all_contracts().values() for table in contract.tables}


def _told_in_dbt() -> set[str]:
    asked = [*(_DBT / "models").rglob("*.sql"), *(_DBT / "tests").glob("*.sql"), *(_DBT / "macros").glob("*.sql")]
    return {path.stem for path in asked if path.parent.name != "macros" or "{% test" in path.read_text("utf-8")}


def _every_refusal(table: TableContract) -> Iterator[Refused]:
    yield table.refused
    yield from possible(table).values()


def _hits_some_kind_of_rows(column: Column) -> bool:
    """Whether only some rows can break it: those that fill it in, or those with much or little of it."""
    has_limit = column.minimum is not None or column.maximum is not None
    can_break = column.dtype != pl.String or column.allowed or column.pattern
    return bool(can_break and (column.nullable or has_limit))


@pytest.mark.parametrize("name", _TABLES)
def test_every_rule_says_which_rows_it_takes_away(name: str) -> None:
    table = _TABLES[name]
    # what any row may break takes rows of every kind; of all else the contract must say what it takes
    silent = {
        column.name
        for column in table.columns
        if table.refused is EVENLY and _hits_some_kind_of_rows(column) and column.name not in table.breaches
    }
    assert not silent, f"{name}: say in breaches what becomes of a row that breaks these"


@pytest.mark.parametrize("name", _TABLES)
def test_what_is_said_of_a_column_is_said_of_one_that_is_there(name: str) -> None:
    table = _TABLES[name]
    assert table.breaches.keys() <= table.schema.keys()
    may_be_replaced = {column.name for column in table.columns if column.nullable or table.noted.get(column.name)}
    assert table.noted.keys() <= may_be_replaced


@pytest.mark.parametrize("name", _TABLES)
def test_a_refusal_that_moves_a_figure_one_way_is_told_by_something_that_is_there(name: str) -> None:
    one_way = {refused for refused in _every_refusal(_TABLES[name]) if refused.way is not Way.NEITHER}
    assert {refused.told_by for refused in one_way} <= _told_in_dbt()


@pytest.mark.parametrize("name", _TABLES)
def test_a_column_whose_broken_value_is_noted_gives_no_reason_to_refuse(name: str) -> None:
    table = _TABLES[name]
    for column in table.columns:
        if isinstance(table.breaches.get(column.name), Noted):
            said = {reason.code for reason in possible(table) if reason.column == column.wire}
            assert said <= {"missing"}
