"""Why a verdict differs: one word, and the first explanation that holds."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from orchestration.loop.changes import CHANGE, FORMER, METHOD_CHANGED, RESTATEMENT, Change, with_change

ROW: dict[str, Any] = {
    "target_id": "trees",
    "ref_date": date(2026, 10, 31),
    "value": 17_600.0,
    "required_value": 19_000.0,
    "target_value": 30_000.0,
    "definition_version": 1,
    "dq_verdict": "verified",
    "status": "on_track",
    "last_status": "on_track",
    "as_of_date": date(2026, 11, 23),
    "recent_pace_per_year": 900.0,
    "history_hash": "a",
}


def rows(*changes: dict[str, Any]) -> pl.DataFrame:
    types = {name: pl.DataFrame({name: [value]}).schema[name] for name, value in ROW.items()}
    return pl.DataFrame([ROW | change for change in changes], schema=types)


LATER = {"as_of_date": date(2026, 12, 23)}
NOVEMBER: dict[str, Any] = {"ref_date": date(2026, 11, 30), "value": 18_000.0, "history_hash": "b"}


def change_of(before: dict[str, Any], after: dict[str, Any]) -> str:
    explained: str = with_change(rows(before), rows(after))[CHANGE].item()
    return explained


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ({}, Change.NONE),
        (NOVEMBER, Change.NEW),
        (NOVEMBER | {"status": "behind"}, Change.NEW),
        (NOVEMBER | {"status": "behind", "recent_pace_per_year": 300.0}, Change.PACE),
        (NOVEMBER | {"status": "reached", "recent_pace_per_year": 990.0}, Change.NEW),
        ({"value": 17_000.0}, Change.CORRECTED),
        ({"value": None, "status": "no_data"}, Change.CORRECTED),
        ({"ref_date": date(2026, 9, 30)}, Change.CORRECTED),
        ({"definition_version": 2, "value": 1.0, "ref_date": date(2027, 1, 1)}, Change.DEFINITION),
        ({"required_value": 20_000.0}, Change.DEFINITION),
        ({"dq_verdict": "unverified", "status": "unverified"}, Change.QUALITY),
        ({"status": "behind", "recent_pace_per_year": 300.0}, Change.PACE),
        ({"history_hash": "b", "status": "behind", "last_status": "behind"}, Change.CORRECTED),
        ({"history_hash": "b", "status": "behind", "recent_pace_per_year": 300.0}, Change.CORRECTED),
        ({"history_hash": "b", "required_value": 20_000.0}, Change.CORRECTED),
        (LATER | {"status": "stale"}, Change.TIME),
        (LATER | {"status": "cancelled"}, Change.DEFINITION),
        (LATER | {"status": "behind", "last_status": "behind"}, Change.DEFINITION),
        (LATER | {"history_hash": "b", "status": "stale"}, Change.CORRECTED),
        ({"status": "stale"}, Change.DEFINITION),
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
    before = rows({}).drop("recent_pace_per_year", "dq_verdict", "history_hash")
    stale = rows(LATER | {"status": "stale", "history_hash": "b"})
    assert with_change(before, stale)[CHANGE].to_list() == [Change.TIME]
    assert with_change(before, rows({"dq_verdict": "unverified"}))[CHANGE].to_list() == [Change.NONE]


def test_with_no_log_at_all_every_target_is_first() -> None:
    nothing = pl.DataFrame(schema={"target_id": pl.String})
    explained = with_change(nothing, rows({}, {"target_id": "b"}))
    assert explained.columns == [*ROW, CHANGE, RESTATEMENT, METHOD_CHANGED, FORMER]
    assert explained[CHANGE].to_list() == [Change.FIRST, Change.FIRST]


def test_the_rows_keep_their_order() -> None:
    after = rows({"target_id": "c"}, {"target_id": "a"}, {"target_id": "b"})
    assert with_change(rows({"target_id": "a"}), after)["target_id"].to_list() == ["c", "a", "b"]


OCTOBER = rows({})
HISTORY = rows({}, NOVEMBER)


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (HISTORY, Change.NEW),
        (rows({"history_hash": "c"}, NOVEMBER), Change.NEW_AND_CORRECTED),
        (rows({"value": 17_000.0}, NOVEMBER), Change.NEW_AND_CORRECTED),
        (rows(NOVEMBER), Change.NEW_AND_CORRECTED),
        (rows({"ref_date": date(2026, 10, 30), "value": 17_590.0}, NOVEMBER), Change.NEW),
        (None, Change.NEW),
    ],
    ids=["as_it_was", "an_earlier_month", "its_own_month", "withdrawn", "another_day_of_it", "unknown"],
)
def test_new_data_beside_a_corrected_past_is_both(history: pl.DataFrame | None, why: Change) -> None:
    assert with_change(OCTOBER, rows(NOVEMBER), history)[CHANGE].to_list() == [why]


@pytest.mark.parametrize(
    ("after", "is_restatement"),
    [
        ({"history_hash": "b", "status": "behind"}, True),
        ({"value": 17_000.0, "status": "behind"}, True),
        ({"history_hash": "b"}, False),
        (LATER | {"status": "stale"}, False),
        (NOVEMBER | {"status": "behind"}, False),
        ({"definition_version": 2, "status": "behind"}, False),
    ],
)
def test_only_a_value_back_in_time_that_changes_the_status_is_a_restatement(
    after: dict[str, Any],
    *,
    is_restatement: bool,
) -> None:
    assert with_change(OCTOBER, rows(after))[RESTATEMENT].to_list() == [is_restatement]


def test_a_month_that_ends_later_than_it_was_spoken_of_corrects_nothing() -> None:
    # in the first days of November a service still speaks of the questions of October
    third, tenth = {"ref_date": date(2026, 11, 3)}, {"ref_date": date(2026, 11, 10), "history_hash": "b"}
    explained = with_change(rows(third), rows(tenth), rows({}, tenth))
    assert explained.select(CHANGE, RESTATEMENT).rows() == [(Change.NEW, False)]


def test_a_value_that_comes_late_before_the_day_that_was_judged_corrects_the_past() -> None:
    assert change_of({}, {"history_hash": "b"}) == Change.CORRECTED


def test_new_data_beside_a_corrected_past_that_change_the_status_are_a_restatement() -> None:
    retold = rows({"history_hash": "c"}, NOVEMBER)
    assert with_change(OCTOBER, rows(NOVEMBER | {"status": "behind"}), retold)[RESTATEMENT].to_list() == [True]
    assert with_change(OCTOBER, rows(NOVEMBER), retold)[RESTATEMENT].to_list() == [False]


def test_what_is_said_first_restates_nothing() -> None:
    nothing = pl.DataFrame(schema={"target_id": pl.String})
    assert with_change(nothing, rows({}))[RESTATEMENT].to_list() == [False]


def _judged_by(version: int | None, **said: Any) -> pl.DataFrame:  # noqa: ANN401 - a cell of any column
    row = rows(said).with_columns(status_nl=pl.col("status"))
    return row if version is None else row.with_columns(method_version=pl.lit(version))


@pytest.mark.parametrize("before", [1, None], ids=["by the first version", "before there were versions"])
@pytest.mark.parametrize("data", [{}, NOVEMBER, LATER], ids=["same data", "new data", "another day"])
def test_a_status_that_changes_with_the_method_is_the_doing_of_the_method(
    before: int | None, data: dict[str, Any]
) -> None:
    after = _judged_by(2, **(data | {"status": "behind", "last_status": "behind"}))
    explained = with_change(_judged_by(before), after)
    assert explained.select(CHANGE, METHOD_CHANGED, FORMER).rows() == [(Change.METHOD, True, "on_track")]


def test_a_new_method_that_says_the_same_is_no_change() -> None:
    explained = with_change(_judged_by(1), _judged_by(2))
    assert explained.select(CHANGE, METHOD_CHANGED).rows() == [(Change.NONE, False)]


def test_a_status_that_changes_with_the_definition_is_no_news_of_the_city_either() -> None:
    explained = with_change(_judged_by(2), _judged_by(2, definition_version=2, status="behind"))
    assert explained.select(CHANGE, METHOD_CHANGED).rows() == [(Change.DEFINITION, True)]


def test_news_of_the_city_is_not_put_on_the_method() -> None:
    explained = with_change(_judged_by(2), _judged_by(2, **NOVEMBER, status="behind"))
    assert explained.select(CHANGE, METHOD_CHANGED).rows() == [(Change.NEW, False)]
