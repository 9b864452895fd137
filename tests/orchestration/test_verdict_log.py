"""The log of verdicts: a row is added only when it differs from what was last said of its target."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orchestration.loop.changes import CHANGE, FORMER, METHOD_CHANGED, RESTATEMENT, Change, with_change
from orchestration.loop.verdicts import KEY, SAID, last_said, newly_said, said_so_far, with_key
from orchestration.report import published_frame
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from warehouse.engine import connect
from warehouse.lake import Lake

ROW: dict[str, Any] = {
    "target_id": "trees_extra",
    "ref_date": date(2026, 10, 31),
    "status": "behind",
    "value": 17_600.0,
    "required_value": 19_000.0,
    "target_value": 30_000.0,
    "definition_version": 1,
    "dq_verdict": "verified",
    "gap": -1_400.0,
    "history_hash": "a",
    "sentence_nl": "Er zijn 17.600 bomen.",
    "build_id": "b1",
    "known_at": NOW,
}


def rows(*changes: dict[str, Any]) -> pl.DataFrame:
    types = {name: pl.DataFrame({name: [value]}).schema[name] for name, value in ROW.items()}
    return pl.DataFrame([ROW | change for change in changes], schema=types)


class Log:
    """Builds of one profile, each saying what a test lets it say."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(settings.layout.lake)
        self.builds = 0

    def say(self, *changes: dict[str, Any], history: pl.DataFrame | None = None) -> pl.DataFrame:
        """What a build that says this adds to the log; it is committed."""
        with connect(self.settings.layout.warehouse) as con:
            con.register("given", rows(*changes))
            con.execute("create schema if not exists verdicts")
            con.execute("create or replace table verdicts.fct_target_verdicts as select * from given")
            con.register("evaluated", rows(*changes) if history is None else history)
            con.execute("create or replace table verdicts.fct_target_status_history as select * from evaluated")
        said = newly_said(self.settings, self.lake)
        self.builds += 1
        self.lake.commit_decisions(f"b{self.builds}", said, {}, NOW + timedelta(minutes=self.builds))
        return said


@pytest.fixture
def log(empty_profile: Callable[..., Settings]) -> Log:
    return Log(empty_profile())


def key_of(**change: Any) -> str:  # noqa: ANN401 - a cell of any column
    return with_key(rows(change))[KEY].item()


def test_the_first_build_says_every_target_in_their_order(log: Log) -> None:
    said = log.say({"target_id": "b"}, {"target_id": "c"}, {"target_id": "a"})
    assert said["target_id"].to_list() == ["a", "b", "c"]
    assert said.columns == [*ROW, KEY, CHANGE, RESTATEMENT, METHOD_CHANGED, FORMER]


def test_saying_the_same_again_adds_nothing(log: Log) -> None:
    assert log.say({}).height == 1
    assert log.say({}).is_empty()


def test_only_the_row_that_differs_is_added(log: Log) -> None:
    log.say({"target_id": "a"}, {"target_id": "b"}, {"target_id": "c"})
    said = log.say({"target_id": "a"}, {"target_id": "b", "value": 18_000.0}, {"target_id": "c"})
    assert said.select("target_id", "value").rows() == [("b", 18_000.0)]


def test_a_target_that_goes_back_to_what_it_was_is_said_a_third_time(log: Log) -> None:
    added = [log.say({"status": status}).height for status in ("behind", "on_track", "behind", "behind")]
    assert added == [1, 1, 1, 0]
    statuses = [log.lake.said(decision)["status"].to_list() for decision in log.lake.decisions()]
    assert statuses == [["behind"], ["on_track"], ["behind"], []]


def test_a_row_is_compared_with_what_was_last_said_of_its_own_target(log: Log) -> None:
    log.say({"target_id": "a", "value": 1.0}, {"target_id": "b", "value": 2.0})
    swapped = log.say({"target_id": "a", "value": 2.0}, {"target_id": "b", "value": 1.0})
    assert swapped["target_id"].to_list() == ["a", "b"]


def test_a_target_that_was_away_for_a_build_is_not_said_again_unchanged(log: Log) -> None:
    log.say({"target_id": "a"}, {"target_id": "b"})
    assert log.say({"target_id": "a"}).is_empty()
    assert log.say({"target_id": "a"}, {"target_id": "b"}).is_empty()
    assert log.say({"target_id": "a"}, {"target_id": "b", "status": "overdue"})["target_id"].to_list() == ["b"]


def test_new_data_beside_a_corrected_past_are_both_in_the_log(log: Log) -> None:
    log.say({})
    november = {"ref_date": date(2026, 11, 30), "value": 18_000.0, "status": "on_track", "history_hash": "c"}
    [said] = log.say(november, history=rows({"history_hash": "b"}, november)).to_dicts()
    assert (said[CHANGE], said[RESTATEMENT]) == (Change.NEW_AND_CORRECTED, True)


def test_a_new_target_is_added_alone(log: Log) -> None:
    log.say({"target_id": "a"})
    assert log.say({"target_id": "a"}, {"target_id": "new"})["target_id"].to_list() == ["new"]


OTHER: dict[str, Any] = {
    "target_id": "other",
    "ref_date": date(2026, 11, 1),
    "status": "at_risk",
    "value": 17_600.5,
    "required_value": 19_000.5,
    "target_value": 30_001.0,
    "definition_version": 2,
    "dq_verdict": "unverified",
}


@pytest.mark.parametrize("column", SAID)
def test_what_is_said_or_rests_on_other_input_has_another_key(column: str) -> None:
    assert key_of(**{column: OTHER[column]}) != key_of()


@pytest.mark.parametrize("column", sorted(set(SAID) - {"target_id", "definition_version"}))
def test_an_empty_cell_is_not_the_same_as_a_value(column: str) -> None:
    assert key_of(**{column: None}) != key_of()


def test_no_value_an_empty_text_and_zero_are_three_things() -> None:
    assert key_of(status=None) != key_of(status="")
    assert key_of(value=None) != key_of(value=0.0)


def test_a_cell_that_moves_to_the_next_column_has_another_key() -> None:
    assert key_of(value=5.0, required_value=None) != key_of(value=None, required_value=5.0)


@pytest.mark.parametrize(
    "change",
    [
        {"build_id": "b2"},
        {"known_at": NOW + timedelta(days=3)},
        {"sentence_nl": "Anders gezegd."},
    ],
)
def test_another_build_moment_or_wording_is_not_another_verdict(change: dict[str, Any], log: Log) -> None:
    assert key_of(**change) == key_of()
    log.say({})
    assert log.say(change).is_empty()


def read_whole(log: Log) -> pl.DataFrame:
    return last_said(log.lake.said(decision) for decision in log.lake.decisions())


def commit(log: Log, name: str, said: pl.DataFrame, minute: int) -> None:
    log.lake.commit_decisions(name, said, {}, NOW + timedelta(minutes=minute))


@pytest.mark.parametrize("seed", range(5))
def test_what_was_kept_and_what_was_said_since_come_to_what_the_whole_log_says(log: Log, seed: int) -> None:
    chance, kept = random.Random(seed), log.settings.layout.last_said  # noqa: S311 - a repeatable choice, no secret
    for build in range(25):
        targets = chance.sample("abcdefgh", chance.randrange(4))
        said = rows(*({"target_id": target, "value": float(build)} for target in targets)) if targets else rows()
        # a column that came later, and a clock that is put back
        with_more = said.with_columns(pl.lit("x").alias("reason_nl")) if build > 12 else said
        commit(log, f"b{build}", with_more, build if chance.random() < 0.9 else -build)
        if chance.random() < 0.2:
            kept.unlink(missing_ok=True)
        if chance.random() < 0.2:
            kept.write_bytes(b"PAR1")
        if chance.random() < 0.7:
            assert_frame_equal(said_so_far(log.lake, kept), read_whole(log))
    assert_frame_equal(said_so_far(Lake(log.settings.layout.lake), kept), read_whole(log))


def test_what_earlier_builds_said_is_read_once(log: Log) -> None:
    log.say({"target_id": "a"}, {"target_id": "b"})
    log.say({"target_id": "a"}, {"target_id": "b", "status": "on_track"})
    log.say({"target_id": "a"}, {"target_id": "b", "status": "on_track"})
    for decision in log.lake.decisions()[:2]:
        (decision.path / "verdicts.parquet").write_bytes(b"never opened again")
    assert log.say({"target_id": "a", "value": 1.0}, {"target_id": "b", "status": "on_track"}).height == 1


def test_a_profile_of_before_anything_was_kept_says_the_same(log: Log) -> None:
    log.say({"target_id": "a"}, {"target_id": "b"})
    log.settings.layout.last_said.unlink(missing_ok=True)
    assert log.say({"target_id": "a"}, {"target_id": "b", "value": 1.0})["target_id"].to_list() == ["b"]


def test_the_log_of_the_demo_says_what_readers_see(demo: Settings) -> None:
    lake = Lake(demo.layout.lake)
    said = pl.concat([lake.said(decision).select("target_id", KEY) for decision in lake.decisions()])
    published = with_key(published_frame(demo, "verdicts.fct_target_verdicts")).select("target_id", KEY)
    assert said.height == 128
    assert said.sort("target_id").equals(published.sort("target_id"))


AGREED = {"is_disputed": False, "readings_nl": "tegen 2025: achter op schema; tegen 2030: achter op schema"}
DISPUTED = {"is_disputed": True, "readings_nl": "tegen 2025: achter op schema; tegen 2030: op schema"}


def test_a_dispute_is_part_of_what_is_said_and_a_row_without_one_keeps_the_key_it_had() -> None:
    plain, agreed, disputed = (with_key(of)[KEY].item() for of in (rows({}), *map(_of, (AGREED, DISPUTED))))
    assert plain == agreed != disputed
    settled = DISPUTED | {"readings_nl": "tegen 2025: achter op schema; tegen 2030: let op"}
    assert with_key(_of(settled))[KEY].item() not in {plain, disputed}


def _of(readings: dict[str, Any]) -> pl.DataFrame:
    return rows({}).with_columns(**{name: pl.lit(value) for name, value in readings.items()})


def test_a_judgement_that_came_into_dispute_is_explained_by_the_registry_and_no_change_of_status() -> None:
    [told] = with_change(rows({}), _of(DISPUTED)).select(CHANGE, METHOD_CHANGED, RESTATEMENT).rows()
    assert told == (Change.DEFINITION, False, False)
    [same] = with_change(rows({}), _of(AGREED)).select(CHANGE).rows()
    assert same == (Change.NONE,)
