"""Why a verdict differs: one word, and the first explanation that holds."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from orchestration.loop.changes import CHANGE, Change, with_change

ROW: dict[str, Any] = {
    "target_id": "trees",
    "ref_date": date(2026, 10, 31),
    "value": 17_600.0,
    "required_value": 19_000.0,
    "target_value": 30_000.0,
    "definition_version": 1,
    "dq_verdict": "verified",
    "status": "on_track",
    "recent_pace_per_year": 900.0,
}


def rows(*changes: dict[str, Any]) -> pl.DataFrame:
    types = {name: pl.DataFrame({name: [value]}).schema[name] for name, value in ROW.items()}
    return pl.DataFrame([ROW | change for change in changes], schema=types)


def change_of(before: dict[str, Any], after: dict[str, Any]) -> str:
    explained: str = with_change(rows(before), rows(after))[CHANGE].item()
    return explained


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ({}, Change.NONE),
        ({"ref_date": date(2026, 11, 30), "value": 18_000.0, "status": "behind"}, Change.NEW),
        ({"value": 17_000.0}, Change.CORRECTED),
        ({"value": None, "status": "no_data"}, Change.CORRECTED),
        ({"ref_date": date(2026, 9, 30)}, Change.CORRECTED),
        ({"definition_version": 2, "value": 1.0, "ref_date": date(2027, 1, 1)}, Change.DEFINITION),
        ({"required_value": 20_000.0}, Change.DEFINITION),
        ({"dq_verdict": "unverified", "status": "unverified"}, Change.QUALITY),
        ({"status": "behind", "recent_pace_per_year": 300.0}, Change.PACE),
        ({"status": "stale"}, Change.TIME),
        ({"recent_pace_per_year": 300.0}, Change.NONE),
    ],
)
def test_a_difference_is_explained_by_the_first_thing_that_changed(after: dict[str, Any], why: Change) -> None:
    assert change_of({}, after) == why


def test_a_target_of_which_nothing_was_said_is_said_first() -> None:
    explained = with_change(rows({"target_id": "other"}), rows({}))
    assert explained[CHANGE].to_list() == [Change.FIRST]


def test_a_first_value_is_new_data() -> None:
    assert change_of({"ref_date": None, "value": None, "status": "no_data"}, {}) == Change.NEW


def test_what_was_said_before_a_column_existed_is_compared_on_the_rest() -> None:
    before = rows({}).drop("recent_pace_per_year", "dq_verdict")
    assert with_change(before, rows({"status": "stale"}))[CHANGE].to_list() == [Change.TIME]
    assert with_change(before, rows({"dq_verdict": "unverified"}))[CHANGE].to_list() == [Change.NONE]


def test_with_no_log_at_all_every_target_is_first() -> None:
    nothing = pl.DataFrame(schema={"target_id": pl.String})
    explained = with_change(nothing, rows({}, {"target_id": "b"}))
    assert explained.columns == [*ROW, CHANGE]
    assert explained[CHANGE].to_list() == [Change.FIRST, Change.FIRST]


def test_the_rows_keep_their_order() -> None:
    after = rows({"target_id": "c"}, {"target_id": "a"}, {"target_id": "b"})
    assert with_change(rows({"target_id": "a"}), after)["target_id"].to_list() == ["c", "a", "b"]
