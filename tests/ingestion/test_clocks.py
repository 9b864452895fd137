"""What is said of a supplier's clock, and from how many minutes on."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestion.clocks import clock_warnings, disagreement, not_past, stamp_warnings

_NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def _off(minutes: int) -> datetime:
    return _NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(("minutes", "counts"), [(-1, -1), (0, 0), (1, 0), (1440, 0)])
def test_no_moment_counts_past_our_own(minutes: int, counts: int) -> None:
    assert not_past(_off(minutes), _NOW) == _off(counts)


def test_where_time_stands_still_a_supplier_is_believed() -> None:
    assert not_past(_off(9999), None) == _off(9999)
    assert clock_warnings("it", _off(9999), None) == ()


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (6, "it: its clock runs 6 min ahead of ours (2026-11-23 06:06 UTC)"),
        (-6, "it: its clock lags 6 min behind ours (2026-11-23 05:54 UTC)"),
        (5, None),
        (-5, None),
        (0, None),
    ],
)
def test_a_clock_is_wrong_from_five_minutes_on(minutes: int, words: str | None) -> None:
    told = clock_warnings("it", _off(minutes), _NOW)
    assert [warning.partition(";")[0] for warning in told] == ([words] if words else [])


@pytest.mark.parametrize(("minutes", "warnings"), [(0, 0), (5, 0), (-5, 0), (6, 1), (-6, 1)])
def test_two_times_in_one_answer_are_told_the_earlier_first(minutes: int, warnings: int) -> None:
    told = disagreement("it", _NOW, _off(minutes))
    earlier, later = sorted((_NOW, _off(minutes)))
    words = f"it: tells two times, {earlier:%Y-%m-%d %H:%M} and {later:%Y-%m-%d %H:%M} UTC; the earlier counts"
    assert [warning.partition(".")[0] for warning in told] == [words] * warnings


def test_only_objects_that_changed_well_after_they_were_sent_are_told() -> None:
    assert stamp_warnings("it", [], _NOW) == stamp_warnings("it", [_off(-60), _off(10)], _NOW) == ()
    [told] = stamp_warnings("it", [_off(9), _off(11), _off(60)], _NOW)
    assert told.startswith("it: 2 objects changed after they were sent (up to 2026-11-23 07:00 UTC)")
