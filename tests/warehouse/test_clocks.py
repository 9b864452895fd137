"""What came last is what names the one before it, whatever the clocks said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from warehouse.batch import Arrival
from warehouse.lake import Lake
from warehouse.layout import Layout

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# half past two in Brussels, twice: in summer time, and an hour later in winter time
SUMMER = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
CLOCKS = {
    "back a day": [NOON, NOON - DAY, NOON - DAY + HOUR],
    "ahead a year, then set right": [NOON, NOON + 365 * DAY, NOON + HOUR],
    "the hour that October has twice": [SUMMER, SUMMER + HOUR, SUMMER + 2 * HOUR],
    "a machine that resumes before it asked the time": [NOON, NOON - 9 * HOUR, NOON + HOUR],
    "one moment for all": [NOON, NOON, NOON],
}
Rows = Callable[..., pl.DataFrame]
MakeArrival = Callable[..., Arrival]


def decide(lake: Lake, build_id: str, at: datetime) -> None:
    lake.commit_decisions(build_id, pl.DataFrame({"target_id": ["trees"]}), {"batches": []}, at)


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS.keys())
def test_builds_stay_in_the_order_in_which_they_were_committed(lake: Lake, clock: list[datetime]) -> None:
    for number, moment in enumerate(clock):
        decide(lake, f"b{len(clock) - number}", moment)
    assert lake.build_ids() == ["b3", "b2", "b1"]
    assert [decision.committed_at for decision in lake.decisions()] == clock, "no moment is changed"


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS.keys())
def test_the_batch_that_was_committed_last_is_the_latest(
    layout: Layout, rows: Rows, arrival: MakeArrival, clock: list[datetime]
) -> None:
    for number, moment in enumerate(clock):
        # as each process opens the lake anew
        manifest = Lake(layout.lake).commit(arrival(rows([1.0 + number]), content_sha256=str(number) * 64), moment)
        assert Lake(layout.lake).latest("meters") == manifest
    replayed = Lake(layout.lake).commit(
        arrival(rows([9.0]), content_sha256="2" * 64, supersedes=manifest.batch_id), NOON - 30 * DAY
    )
    assert Lake(layout.lake).latest("meters") == replayed


def test_a_batch_of_before_they_named_each_other_comes_before_one_that_does(
    lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    ahead = lake.commit(arrival(rows([1.0]), content_sha256="a" * 64), NOON + 365 * DAY)
    assert ahead.after is None
    later = lake.commit(arrival(rows([2.0]), content_sha256="b" * 64), NOON)
    assert later.after == ahead.batch_id
    assert lake.latest("meters") == later


def test_two_machines_on_one_lake_agree_on_the_order(layout: Layout) -> None:
    """Both looked before either committed: each names the same build before its own."""
    one, other = Lake(layout.lake), Lake(layout.lake)
    decide(one, "b0", NOON)
    order = {tuple(lake.build_ids()) for lake in (one, other)}
    assert order == {("b0",)}
    folder = layout.lake / "decisions"
    decide(one, "b1", NOON + HOUR)
    decide(other, "b2", NOON - HOUR)
    _name_before(folder / "batch=b2", "b0")
    (folder / ".committed.json").unlink(missing_ok=True)
    assert one.build_ids() == other.build_ids() == ["b0", "b2", "b1"]
    decide(other, "b3", NOON - 2 * HOUR)
    assert one.build_ids() == other.build_ids() == ["b0", "b2", "b1", "b3"]


def _name_before(folder: Path, build_id: str) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"after": "b1"', f'"after": "{build_id}"'), encoding="utf-8")


def test_the_order_of_builds_is_found_again_when_what_was_kept_of_it_is_gone(layout: Layout, lake: Lake) -> None:
    for number, moment in enumerate([NOON, NOON + 365 * DAY, NOON + HOUR]):
        decide(lake, f"b{number}", moment)
    kept = layout.lake / "decisions" / ".committed.json"
    lake.build_ids()
    for content in (None, "", '{"b0": "2026-11-22T12:00:00+00:00"}'):
        kept.unlink()
        if content is not None:
            kept.write_text(content, encoding="utf-8")
        assert lake.build_ids() == ["b0", "b1", "b2"]
