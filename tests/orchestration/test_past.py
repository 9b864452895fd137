"""The three answers about the past as a head of department reads them."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from orchestration.past import Answers, days_asked, end_of_day, print_answers, print_past
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
    "last_status": "at_risk",
    "unit": "charge points",
    "history_hash": "a",
    "as_of_date": date(2026, 11, 23),
}
STALE: dict[str, Any] = {
    "status": "stale",
    "status_nl": "geen recente gegevens",
    "as_of_date": date(2026, 12, 23),
}


def verdicts(*changes: dict[str, Any]) -> pl.DataFrame:
    types = pl.DataFrame([VERDICT]).schema
    return pl.DataFrame([VERDICT | change for change in changes], schema=types)


NOBODY = pl.DataFrame(schema={"target_id": pl.String})


def shown(then: pl.DataFrame, again: pl.DataFrame, now: pl.DataFrame, **asked: Any) -> str:  # noqa: ANN401 - the options of the page
    console = Console(width=80, record=True, file=io.StringIO(), highlight=False)
    print_answers(console, Answers(then, again, now, now), **asked)
    return console.export_text()


def cells(text: str) -> list[str]:
    """The words of the only row of the table, column by column, however they are folded."""
    lines = text.splitlines()
    [top] = [number for number, line in enumerate(lines) if line.startswith("Doel ")]
    end = next(number for number, line in enumerate(lines) if "vergeleken:" in line)
    starts = [lines[top].index(word) for word in ("Doel", "Gezegd", "Herberekend", "Gepubliceerd", "Waarom")]
    columns = [[line[begin:until] for line in lines[top + 1 : end]] for begin, until in pairwise([*starts, None])]
    return [" ".join(" ".join(column).split()) for column in columns]


def test_three_answers_that_agree_are_only_counted_and_can_be_asked_for() -> None:
    text = shown(verdicts({}), verdicts({}), verdicts({}))
    assert "Laadpunten" not in text
    assert "1 doel vergeleken: 0 met een ander oordeel of een ander cijfer, 1 gelijk." in " ".join(text.split())
    assert "Met --all ziet u ze allemaal, met --target DOEL één doel." in text
    for asked in ({"with_same": True}, {"target_id": "points"}):
        text = shown(verdicts({}), verdicts({}), verdicts({}), **asked)
        assert cells(text) == [
            "Laadpunten",
            "let op: 905 op 22/11/2026",
            "let op: 905 op 22/11/2026",
            "let op: 905 op 22/11/2026",
            "",
        ]
        assert "--all" not in text


def test_a_status_that_only_the_recomputation_knows_is_dutch_too_and_says_why_it_differs() -> None:
    text = shown(verdicts({}), verdicts(STALE), verdicts({}))
    assert cells(text) == [
        "Laadpunten",
        "let op: 905 op 22/11/2026",
        "geen recente gegevens: 905 op 22/11/2026",
        "let op: 905 op 22/11/2026",
        "herberekend: de tijd ging voorbij",
    ]


def test_a_corrected_value_is_named_as_the_reason_with_both_figures() -> None:
    text = shown(verdicts({}), verdicts({}), verdicts({"value": 800.5}))
    assert cells(text) == [
        "Laadpunten",
        "let op: 905 op 22/11/2026",
        "let op: 905 op 22/11/2026",
        "let op: 800,5 op 22/11/2026",
        "verbeterde gegevens",
    ]
    assert "1 met een ander oordeel" in " ".join(text.split())


def test_a_corrected_past_with_the_same_newest_value_is_named_too() -> None:
    retold = {"status": "behind", "status_nl": "achter", "last_status": "behind", "history_hash": "b"}
    [*_, why] = cells(shown(verdicts({}), verdicts({}), verdicts(retold)))
    assert why == "verbeterde gegevens"


def test_where_nothing_was_said_the_recomputation_answers() -> None:
    text = shown(NOBODY, verdicts({}), verdicts(STALE))
    assert "Toen was er nog niets gezegd" in text
    assert cells(text) == [
        "Laadpunten",
        "niets",
        "let op: 905 op 22/11/2026",
        "geen recente gegevens: 905 op 22/11/2026",
        "de tijd ging voorbij",
    ]


def test_a_target_of_which_alone_nothing_was_said_is_held_against_the_recomputation() -> None:
    both = verdicts({}, {"target_id": "new", "title_nl": "Nieuw"})
    text = shown(verdicts({}), both, both, target_id="new")
    assert cells(text) == ["Nieuw", "niets", "let op: 905 op 22/11/2026", "let op: 905 op 22/11/2026", ""]
    assert "0 met een ander oordeel" in " ".join(text.split())


def test_differences_come_first_and_one_target_can_be_asked_alone() -> None:
    same, other = {"title_nl": "Andere", "target_id": "other"}, {"title_nl": "Bomen", "target_id": "trees"}
    then = verdicts(same, other)
    now = verdicts(same, other | {"value": 1.0})
    text = shown(then, then, now, with_same=True)
    assert text.index("Bomen") < text.index("Andere")
    alone = shown(then, then, now, target_id="other")
    assert "Andere" in alone
    assert "Bomen" not in alone
    assert "2 doelen vergeleken: 1 met" in " ".join(alone.split())


@pytest.mark.parametrize(
    ("unit", "value", "read"),
    [
        ("% of dwellings", 52.0, "let op: 52 % op 22/11/2026"),
        ("milestone 0/1", 0.0, "let op: nog niet klaar op 22/11/2026"),
        ("m", None, "let op"),
    ],
)
def test_a_figure_reads_as_on_the_board(unit: str, value: float | None, read: str) -> None:
    row = verdicts({"unit": unit, "value": value})
    assert cells(shown(row, row, row, with_same=True))[1] == read


def test_every_word_of_a_long_title_survives_in_eighty_columns() -> None:
    title = {"title_nl": "Minder elektriciteitsverbruik in collectieve wijkrenovaties"}
    text = shown(verdicts(title), verdicts(title | STALE), verdicts(title))
    assert cells(text)[0] == title["title_nl"]
    assert {"elektriciteitsverbruik", "wijkrenovaties", "Herberekend"} <= set(text.split())
    assert max(len(line) for line in text.splitlines()) <= 80


def test_an_unknown_target_is_named_before_anything_is_computed(demo: Settings) -> None:
    console = Console(file=io.StringIO())
    with pytest.raises(LookupError, match="no target nowhere in the register"):
        print_past(console, demo, date(2026, 11, 23), date(2026, 11, 23), target_id="nowhere")


def test_a_day_ends_at_midnight_of_the_city(empty_profile: Callable[..., Settings]) -> None:
    ends = end_of_day(empty_profile(), date(2026, 5, 2))
    assert ends == datetime.fromisoformat("2026-05-02T23:59:59.999999+02:00")


_NIGHT = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past midnight in the city
_DAYS = {
    "no day": (None, None, None, (date(2026, 11, 23), date(2026, 11, 23))),
    "a day": (None, date(2026, 5, 1), None, (date(2026, 5, 1), date(2026, 11, 23))),
    "a day of knowing": (None, None, date(2026, 5, 2), (date(2026, 5, 2), date(2026, 5, 2))),
    "both": (None, date(2026, 5, 1), date(2026, 5, 2), (date(2026, 5, 1), date(2026, 5, 2))),
    "a date of its own that is over": (date(2026, 11, 1), None, None, (date(2026, 11, 1), date(2026, 11, 23))),
    "a date of its own to come": (date(2026, 12, 1), None, None, (date(2026, 12, 1), date(2026, 12, 1))),
}


@pytest.mark.parametrize("case", _DAYS)
def test_a_day_that_is_left_out_is_the_one_a_person_means(empty_profile: Callable[..., Settings], case: str) -> None:
    of_its_own, as_of, known_at, days = _DAYS[case]
    settings = empty_profile().model_copy(update={"fixed_as_of": of_its_own})
    assert days_asked(settings, as_of, known_at, now=_NIGHT) == days
