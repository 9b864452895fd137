from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from orchestration.alerts.digest import Digest, notes
from tests.alerts.conftest import MONDAY, TUESDAY
from warehouse.state import Alert


def knows(  # noqa: PLR0913 - what a row of the log says
    target: str,
    reason: str,
    *,
    days: int = 3,
    department: str = "mobiliteit",
    status: str = "behind",
    topic: str = "judgement",
    points: float | None = None,
) -> Alert:
    """What a department was told some days ago."""
    at = datetime.combine(MONDAY.day - timedelta(days=days), time(7), UTC)
    level = (
        None if topic == "figure" else {"behind": "late", "overdue": "late", "at_risk": "at_risk"}.get(status, "fine")
    )
    said = department, target, status, "told", reason, "k1", "b1", at, "b1", at
    return Alert(*said, topic=topic, level=level, points=points)


def parts(digest: Digest) -> dict[str, list[str]]:
    """What stands below what is late."""
    return {section.title: [line.target_id for line in section.lines] for section in digest.sections}


def test_a_department_with_a_target_behind_gets_one_digest_of_its_iso_week(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, {"target_id": "shared_cars", "status": "overdue"})
    assert (digest.department_id, digest.department_nl, digest.period) == ("mobiliteit", "Mobiliteit", "2026-W48")
    assert len(digest.told) == 2


@pytest.mark.parametrize(
    "status", ["no_data", "not_started", "unverified", "monitored", "reached", "stale", "on_track", "cancelled"]
)
def test_what_is_fine_or_in_doubt_is_no_reason_to_write(told: Callable[..., list[Digest]], status: str) -> None:
    assert told({"status": status}) == []


def test_data_that_is_late_or_doubted_is_not_even_mentioned_beside_a_target_behind(
    told: Callable[..., list[Digest]],
) -> None:
    (digest,) = told({}, {"target_id": "late", "status": "stale"}, {"target_id": "doubted", "status": "unverified"})
    assert [line.target_id for line in digest.lines] == ["charge_points_total"]


def test_a_target_at_risk_is_mentioned_after_those_behind(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"target_id": "a", "status": "at_risk", "gap": -900.0}, {"target_id": "b"})
    assert [line.target_id for line in digest.told] == ["b"]
    assert parts(digest) == {"Let op": ["a"]}


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
    assert (digest.department_id, digest.period) == ("wonen", "2026-W48")
    assert parts(digest) == {"Termijn verstreken, cijfer nog niet bekend": ["old"]}
    assert digest.heading == "1 cijfer gevraagd"
    asked = knows("old", "awaiting_figure", days=29, department="wonen", topic="figure", status="awaiting_figure")
    assert told(AWAITED, known=[asked]) == []


def test_who_gave_a_figure_that_was_asked_is_thanked(told: Callable[..., list[Digest]]) -> None:
    asked = knows("old", "awaiting_figure", days=9, department="wonen", topic="figure", status="awaiting_figure")
    came = {"status": "overdue", "is_alarm": False, "ref_date": date(2026, 11, 1), "target_date": date(2025, 12, 31)}
    assert told(AWAITED | {"status": "on_track"}, known=[asked]) == [], "its deadline moved: nothing came"
    (digest,) = told(AWAITED | came, known=[asked])
    assert (digest.department_id, digest.heading) == ("wonen", "1 cijfer ontvangen")
    assert parts(digest) == {"Bedankt voor het cijfer": ["old"]}


def test_a_department_that_is_written_to_is_asked_in_the_same_mail(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, AWAITED | {"data_owner_department_id": "mobiliteit"})
    assert (digest.period, digest.heading) == ("2026-W48", "1 doelstelling achter op schema")
    assert parts(digest) == {"Termijn verstreken, cijfer nog niet bekend": ["old"]}


def test_a_target_that_only_asks_for_attention_is_told_with_its_reason(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"status": "at_risk"})
    assert (digest.heading, parts(digest)) == (
        "1 doelstelling om op te letten",
        {"Let op": ["charge_points_total"]},
    )
    assert told({"status": "at_risk"}, known=[knows("charge_points_total", "at_risk", status="at_risk")]) == []


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
    assert [line.target_id for line in digest.told] == ["a"]
    ((section,),) = [digest.sections]
    assert [(line.target_id, line.former_status_nl) for line in section.lines] == [("b", "op schema")]
    assert digest.heading == "1 doelstelling achter op schema, 1 doelstelling anders beoordeeld"


def test_another_method_alone_waits_for_the_digest_of_the_week(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, rejudged={"charge_points_total": "op schema"})
    assert (digest.told, digest.heading) == ((), "1 doelstelling anders beoordeeld")
    assert told({}, rejudged={"charge_points_total": "op schema"}, window=TUESDAY) == []


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
    assert told(DISPUTED, window=TUESDAY) == []
    (digest,) = told({}, DISPUTED)
    assert [line.target_id for line in digest.told] == ["charge_points_total"]
    assert parts(digest) == {"Let op": ["trajectories"]}
    assert digest.heading == "1 doelstelling achter op schema, 1 doelstelling om op te letten"


def test_three_promises_on_one_figure_are_told_once_and_the_one_that_is_told_names_the_others(
    told: Callable[..., list[Digest]],
) -> None:
    others = "CO₂ −70 % tegen 2040 (achter op schema); CO₂-neutraal (let op)"
    first = {"target_id": "by_2030", "story_id": "co2", "story_nl": others}
    second = {"target_id": "by_2040", "story_id": "co2", "is_alarm": False, "is_first_of_story": False}
    third = {"target_id": "by_2050", "story_id": "co2", "status": "at_risk", "is_first_of_story": False}
    (digest,) = told(first, second, third)
    assert [(line.target_id, line.story_nl) for line in digest.lines] == [("by_2030", others)]


def test_what_was_told_and_did_not_change_is_told_no_more(told: Callable[..., list[Digest]]) -> None:
    assert told({}, known=[knows("charge_points_total", "behind")]) == []


def test_what_is_still_open_stands_in_a_digest_that_goes_out_anyway(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({"target_id": "new"}, {"target_id": "old"}, known=[knows("old", "behind")])
    assert ([line.target_id for line in digest.told], parts(digest)) == (["new"], {"Nog open": ["old"]})


def test_what_falls_behind_on_a_tuesday_is_told_on_that_day_and_alone(told: Callable[..., list[Digest]]) -> None:
    known = [knows("old", "behind"), knows("new", "first_seen", status="on_track")]
    (digest,) = told({"target_id": "new"}, {"target_id": "old"}, known=known, window=TUESDAY)
    assert (digest.is_urgent, digest.period, digest.made_on) == (True, "2026-11-24", TUESDAY.day)
    assert [line.target_id for line in digest.lines] == ["new"]
    assert told({"target_id": "new", "is_binding": False}, known=known, window=TUESDAY) == []


def test_a_recovery_and_a_reached_target_are_good_news_to_whoever_knew(told: Callable[..., list[Digest]]) -> None:
    rows = ({"target_id": "a", "status": "on_track"}, {"target_id": "b", "status": "reached"})
    known = [knows("a", "behind"), knows("b", "first_seen", status="on_track")]
    (digest,) = told(*rows, known=known)
    assert parts(digest) == {"Goed nieuws": ["a", "b"]}
    assert digest.heading == "1 doelstelling weer in orde, 1 doelstelling behaald"


def test_a_reminder_says_that_it_is_one(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({}, known=[knows("charge_points_total", "behind", days=7)])
    assert [line.reason for line in digest.told] == ["reminder"]
    assert digest.heading == "1 doelstelling nog altijd niet in orde"


def test_a_story_of_which_another_promise_comes_first_is_not_told_anew(told: Callable[..., list[Digest]]) -> None:
    first = {"target_id": "by_2030", "story_id": "co2", "status": "on_track", "is_first_of_story": False}
    second = {"target_id": "by_2040", "story_id": "co2"}
    assert told(first, second, known=[knows("by_2030", "behind")]) == []


def test_whoever_is_no_owner_is_not_told_to_be_one(told: Callable[..., list[Digest]]) -> None:
    (digest,) = told({})
    for reader, whom in (("wonen.deputy", "vervanger van afdeling Wonen"), ("coordinator", "klimaatcoördinator")):
        beside = replace(digest, department_id=reader, department_nl="Wonen")
        assert (beside.is_beside, beside.reader_nl) == (True, whom)
    assert not digest.is_beside


def test_a_judgement_that_came_to_hang_on_an_open_question_is_not_called_better(
    told: Callable[..., list[Digest]],
) -> None:
    (digest,) = told(DISPUTED, known=[knows("trajectories", "overdue", status="overdue")])
    ((line,),) = [section.lines for section in digest.sections]
    assert (line.reason, notes(line)) == ("eased", [])
