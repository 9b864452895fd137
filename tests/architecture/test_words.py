"""Every refusal has a code, and every code says the same in English and in Dutch, from one table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from contracts.registry import all_contracts
from contracts.words import WORDS
from tests.conftest import ROOT

ROOMS = ("contracts", "ingestion", "warehouse", "orchestration")
TREES = {path: ast.parse(path.read_text("utf-8")) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
# a sentence that says what to do says it to somebody
_TELLS = re.compile(
    r"\b(Bewaar|Controleer|Exporteer|Geef|Haal|Houd|Kies|Kijk|Lever|Maak|Meld|Noem|Pak|Probeer|Proberen|proberen|Schrijf|Sluit|Stuur|"
    r"Verbeter|verbeter|Vraag|Vul|Volg|Zet|Hier hoort|hier hoort)\b"
)


def _open(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _errors(trees: dict[Path, ast.Module]) -> set[str]:
    """The names of the errors of which a code says what is wrong."""
    found, classes = {"FaultError"}, [node for tree in trees.values() for node in ast.walk(tree)]
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for node in classes
        if isinstance(node, ast.ClassDef)
    }
    while grown := {name for name, above in bases.items() if above & found} - found:
        found |= grown
    return found


def _calls() -> Iterator[tuple[str, ast.Call]]:
    errors = _errors(TREES)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in errors | {"fault"}:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def _codes(given: ast.expr) -> list[str]:
    """A code, or both of two; nothing where it is no text that stands there."""
    if isinstance(given, ast.IfExp):
        return _codes(given.body) + _codes(given.orelse)
    return [given.value] if isinstance(given, ast.Constant) and isinstance(given.value, str) else []


CALLS = dict(_calls())


def test_there_are_as_many_errors_as_a_reader_would_expect() -> None:
    assert len(CALLS) > 90


@pytest.mark.parametrize("place", CALLS)
def test_an_error_names_its_code_and_every_value_that_its_words_leave_open(place: str) -> None:
    call = CALLS[place]
    codes = _codes(call.args[0]) if call.args else []
    assert codes, f"{place}: name a code of contracts.words as the first argument"
    for code in codes:
        assert {keyword.arg for keyword in call.keywords} == _open(WORDS[code][0]) | _open(WORDS[code][1])


def test_no_code_is_left_that_nobody_gives() -> None:
    written = {node.value for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    # what is said of any row goes by the code of what is said of one
    assert {code.removesuffix("_of_any_row") for code in WORDS} <= written


@pytest.mark.parametrize("code", WORDS)
def test_a_code_says_in_both_languages_what_is_wrong_and_in_dutch_what_to_do(code: str) -> None:
    english, dutch = WORDS[code]
    assert english
    assert english != dutch
    assert _TELLS.search(dutch), "end in what to do"
    assert dutch.endswith(".")
    assert _open(dutch) <= _open(english) | {"meaning"}


@pytest.mark.parametrize("name", all_contracts())
def test_a_rule_of_a_contract_is_no_code_of_the_table_and_ends_in_what_to_do(name: str) -> None:
    for table in all_contracts()[name].tables:
        assert not {rule.name for rule in table.rules} & WORDS.keys()
        assert all(rule.reason_nl.endswith(".") for rule in table.rules)
