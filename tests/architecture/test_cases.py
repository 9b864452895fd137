"""Inputs that once came out wrong are tests by name: whoever reads the list of tests finds each case in it."""

import ast
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]
_CASES = (
    "dates",
    "error-cells",
    "decimal-point",
    "serial-spelling",
    "future-versions",
    "e-notation",
    "same-bytes",
    "recipients",
    "charge-points-stamps",
    "charge-points-totals",
    "charge-points-cursor",
    "tickets-clocks",
    "tickets-default-open",
    "tickets-words",
    "meters-words",
    "foreign-list",
    "mail-quit",
    "buildings-check",
)


@pytest.fixture(scope="module")
def names() -> set[str]:
    trees = [ast.parse(path.read_text("utf-8")) for path in _TESTS.rglob("test_*.py")]
    found = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {name for name in found if name.startswith("test_")}


@pytest.mark.parametrize("case", _CASES)
def test_a_case_that_once_came_out_wrong_is_a_test_by_its_name(names: set[str], case: str) -> None:
    assert [name for name in names if case.replace("-", "_") in name]
