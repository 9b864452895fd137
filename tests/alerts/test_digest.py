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


AWAITED = {"target_id": "old", "status": "awaiting_figure", "data_owner_department_id": "wonen"}


def test_a_figure_that_is_awaited_is_asked_of_whoever_supplies_it_once_a_month(
    told: Callable[..., list[Digest]],
) -> None:
    (digest,) = told(AWAITED)
    assert (digest.department_id, digest.period, digest.lines) == ("wonen", "2026-11", ())
    assert [line.target_id for line in digest.awaited] == ["old"]
    assert digest.heading == "1 cijfer gevraagd"


def test_a_department_that_is_written_to_is_asked_in_the_same_mail(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, AWAITED | {"data_owner_department_id": "mobiliteit"})
    assert (digest.period, digest.heading) == ("2026-W48", "1 doelstelling achter op schema")
    assert [line.target_id for line in digest.awaited] == ["old"]


def test_an_awaited_figure_alone_mentions_no_target_at_risk(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"status": "at_risk"}, AWAITED | {"data_owner_department_id": "mobiliteit"})
    assert digest.lines == ()


@pytest.mark.parametrize(
    ("statuses", "heading"),
    [
        (("behind", "behind"), "2 doelstellingen achter op schema"),
        (("overdue",), "1 doelstelling waarvan de termijn verstreken is"),
        (("behind", "overdue"), "1 doelstelling achter op schema, 1 doelstelling waarvan de termijn verstreken is"),
    ],
)
def test_a_target_past_its_deadline_is_not_counted_as_behind_its_path(
    told: Callable[..., list[Digest]], statuses: tuple[str, ...], heading: str
) -> None:
    (digest,) = told(*({"target_id": f"t{number}", "status": status} for number, status in enumerate(statuses)))
    assert digest.heading == heading


def test_a_status_that_another_method_changed_is_listed_and_counts_as_nothing_behind(
    told: Callable[..., list[Digest]],
) -> None:
    (digest,) = told({"target_id": "a"}, {"target_id": "b"}, rejudged={"b": "op schema"})
    assert [line.target_id for line in digest.lines] == ["a"]
    assert [(line.target_id, line.former_status_nl) for line in digest.rejudged] == [("b", "op schema")]
    assert digest.heading == "1 doelstelling achter op schema"


def test_another_method_alone_is_told_in_a_digest_of_the_month(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, rejudged={"charge_points_total": "op schema"})
    assert (digest.period, digest.told, digest.heading) == ("2026-11", (), "1 doelstelling anders beoordeeld")


def test_a_missing_gap_is_last_of_those_behind(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"target_id": "a", "gap": None, "target_date": None, "ref_date": date(2026, 1, 1)}, {})
    assert [line.target_id for line in digest.lines] == ["charge_points_total", "a"]


DISPUTED = {
    "target_id": "trajectories",
    "status": "overdue",
    "is_alarm": False,
    "is_disputed": True,
    "attention_nl": "Het oordeel hangt af van een open vraag: tegen 2025: termijn verstreken; tegen 2030: op schema.",
}


def test_a_judgement_that_hangs_on_an_open_question_alarms_nobody_and_is_mentioned(
    told: Callable[..., list[Digest]],
) -> None:
    assert told(DISPUTED) == []
    (digest,) = told({}, DISPUTED)
    assert [line.target_id for line in digest.told] == ["charge_points_total"]
    assert [line.target_id for line in digest.mentioned] == ["trajectories"]
    assert digest.heading == "1 doelstelling achter op schema"


def test_three_promises_on_one_figure_are_told_once_and_the_one_that_is_told_names_the_others(
    told: Callable[..., list[Digest]],
) -> None:
    others = "CO₂ −70 % tegen 2040 (achter op schema); CO₂-neutraal (let op)"
    first = {"target_id": "by_2030", "story_nl": others}
    second = {"target_id": "by_2040", "is_alarm": False, "is_first_of_story": False}
    third = {"target_id": "by_2050", "status": "at_risk", "is_first_of_story": False}
    (digest,) = told(first, second, third)
    assert [(line.target_id, line.story_nl) for line in digest.lines] == [("by_2030", others)]
