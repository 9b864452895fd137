"""The three answers about the past as a head of department reads them."""

import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import polars as pl
from rich.console import Console

from orchestration.past import end_of_day, print_answers
from orchestration.settings import Settings

VERDICT: dict[str, Any] = {
    "target_id": "points",
    "title_nl": "Laadpunten",
    "department_id": "mobiliteit",
    "ref_date": date(2026, 11, 22),
    "value": 905.0,
    "required_value": 935.0,
    "target_value": 1326.0,
    "definition_version": 1,
    "dq_verdict": "verified",
    "recent_pace_per_year": 85.0,
    "status": "at_risk",
    "status_nl": "let op",
}
STALE = {"status": "stale", "status_nl": "geen recente gegevens"}


def verdicts(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([VERDICT | change for change in changes])


def shown(then: pl.DataFrame, again: pl.DataFrame, now: pl.DataFrame, width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO(), highlight=False)
    print_answers(console, then, again, now)
    return console.export_text()


def test_three_answers_that_agree_are_only_counted() -> None:
    text = shown(verdicts({}), verdicts({}), verdicts({}))
    assert "Geen enkel doel kreeg een ander oordeel dan nu." in text
    assert "1 doel vergeleken; 0 met een ander oordeel of een ander cijfer." in text


def test_a_status_that_only_the_recomputation_knows_is_dutch_too_and_says_why_it_differs() -> None:
    text = " ".join(shown(verdicts({}), verdicts(STALE), verdicts({})).split())
    assert "gezegd: let op; herberekend: geen recente gegevens; nu: let op (de tijd ging voorbij)" in text


def test_a_corrected_value_is_named_as_the_reason() -> None:
    text = shown(verdicts({}), verdicts({}), verdicts({"value": 800.0, "status": "behind", "status_nl": "achter"}))
    assert "nu: achter (verbeterde gegevens)" in " ".join(text.split())
    assert "1 met een ander oordeel" in text


def test_where_nothing_was_said_the_recomputation_answers() -> None:
    text = shown(pl.DataFrame(schema={"target_id": pl.String}), verdicts({}), verdicts(STALE))
    assert "Toen was er nog niets gezegd" in text
    assert "gezegd: niets; herberekend: let op; nu: geen recente gegevens (de tijd ging voorbij)" in " ".join(
        text.split()
    )


def test_every_word_of_a_long_title_survives_a_narrow_terminal() -> None:
    title = {"title_nl": "Kwart van collectieve wijkrenovaties fossielvrij"}
    text = shown(verdicts(title), verdicts(title | STALE), verdicts(title), width=60)
    assert "wijkrenovaties" in text
    assert "herberekend" in text
    assert max(len(line) for line in text.splitlines()) <= 60


def test_a_day_ends_at_midnight_of_the_city(empty_profile: Callable[..., Settings]) -> None:
    ends = end_of_day(empty_profile(), date(2026, 5, 2))
    assert ends == datetime.fromisoformat("2026-05-02T23:59:59.999999+02:00")
