from collections.abc import Callable
from datetime import date

import pytest

from orchestration.alerts.digest import Digest


def test_a_department_with_a_target_behind_gets_one_digest_of_its_iso_week(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, {"target_id": "shared_cars", "status": "overdue"})
    assert (digest.department_id, digest.department_nl, digest.period) == ("mobiliteit", "Mobiliteit", "2026-W48")
    assert len(digest.told) == 2


@pytest.mark.parametrize(
    "status", ["no_data", "not_started", "unverified", "monitored", "reached", "stale", "on_track", "at_risk"]
)
def test_only_behind_or_overdue_is_a_reason_to_write(told: Callable[..., list[Digest]], status: str) -> None:
    assert told({"status": status}) == []


def test_data_that_is_late_or_doubted_is_not_even_mentioned_beside_a_target_behind(
    told: Callable[..., list[Digest]],
) -> None:
    (digest,) = told({}, {"target_id": "late", "status": "stale"}, {"target_id": "doubted", "status": "unverified"})
    assert [line.target_id for line in digest.lines] == ["charge_points_total"]


def test_a_target_at_risk_is_mentioned_after_those_behind(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"target_id": "a", "status": "at_risk", "gap": -900.0}, {"target_id": "b"})
    assert [line.target_id for line in digest.told] == ["b"]
    assert [line.target_id for line in digest.mentioned] == ["a"]
    assert [line.target_id for line in digest.lines] == ["b", "a"]


def test_the_worst_comes_first_whatever_the_unit(told: Callable[..., list[Digest]]) -> None:
    trees = {"target_id": "trees", "gap": -5000.0, "baseline_value": 0.0, "target_value": 77746.0}
    share = {"target_id": "share", "gap": -13.0, "baseline_value": 0.0, "target_value": -40.0}
    norm = {"target_id": "norm", "gap": -20.0, "baseline_value": None, "target_value": 100.0}
    (digest,) = told(trees, norm, share)
    assert [line.target_id for line in digest.lines] == ["share", "norm", "trees"]


def test_each_department_reads_only_its_own_targets(told: Callable[..., list[Digest]]) -> None:
    mobility, housing = told({}, {"target_id": "renovations", "department_id": "wonen"})
    assert [line.target_id for line in mobility.lines] == ["charge_points_total"]
    assert [line.target_id for line in housing.lines] == ["renovations"]


def test_a_target_without_an_owner_or_with_an_unknown_one_never_breaks_the_others(
    told: Callable[..., list[Digest]],
) -> None:
    found = told({}, {"target_id": "x", "department_id": None}, {"target_id": "y", "department_id": "nieuw"})
    assert [(digest.department_id, digest.department_nl) for digest in found] == [
        ("mobiliteit", "Mobiliteit"),
        ("nieuw", "nieuw"),
    ]


def test_the_same_verdicts_in_another_order_give_the_same_digest(told: Callable[..., list[Digest]]) -> None:
    rows = [{"target_id": name, "gap": gap} for name, gap in (("a", -1.0), ("b", -1.0), ("c", -9.0))]
    assert told(*rows) == told(*reversed(rows))


@pytest.mark.parametrize(
    ("value", "required", "words"),
    [(905.0, 1078.4, "173,4 te weinig"), (-12.0, -25.6, "13,6 te veel"), (None, 1.0, "onbekend")],
)
def test_the_gap_is_told_in_words_for_targets_that_rise_and_that_fall(
    told: Callable[..., list[Digest]], value: float | None, required: float | None, words: str
) -> None:
    (digest,) = told({"value": value, "required_value": required})
    assert digest.lines[0].gap_nl == words


def test_a_missing_gap_is_last_of_those_behind(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"target_id": "a", "gap": None, "target_date": None, "ref_date": date(2026, 1, 1)}, {})
    assert [line.target_id for line in digest.lines] == ["charge_points_total", "a"]
