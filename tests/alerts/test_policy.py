"""Who is told what and when: a table of cases, and what others fell into."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from contracts.registry import all_cities
from orchestration.alerts import hours
from orchestration.alerts.answers import Standing as Answered
from orchestration.alerts.policy import (
    NOBODY_ANSWERED,
    Decision,
    Level,
    Outcome,
    Standing,
    Told,
    Window,
    ask,
    decide,
    decide_beside,
)

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NEXT_MONDAY = date(2026, 11, 30)
DIGEST = Window(MONDAY, digest=True, urgent=True, next_digest=NEXT_MONDAY, next_urgent=TUESDAY)
BETWEEN = Window(TUESDAY, digest=False, urgent=True, next_digest=NEXT_MONDAY, next_urgent=date(2026, 11, 25))
NIGHT = replace(BETWEEN, urgent=False)
AGO = MONDAY - timedelta(days=3)

FINE = Standing("on_track", Level.FINE)
RISK = Standing("at_risk", Level.AT_RISK)
BEHIND = Standing("behind", Level.LATE, points=-10.0, months=4.0, is_pressing=True)
OVERDUE = replace(BEHIND, status="overdue")
REACHED = Standing("reached", Level.FINE)
STALE = Standing("stale", None)
GONE = Standing("cancelled", None)

KNEW_FINE = Told("on_track", Level.FINE, AGO, "first_seen")
KNEW_RISK = Told("at_risk", Level.AT_RISK, AGO, "at_risk")
KNEW_BEHIND = Told("behind", Level.LATE, AGO, "behind", points=-10.0, months=4.0)
TOLD, HELD, SILENT = Outcome.TOLD, Outcome.HELD, Outcome.SILENT


def days_ago(told: Told, days: int) -> Told:
    return replace(told, on=MONDAY - timedelta(days=days))


CASES: list[tuple[str, Standing, Told | None, Window, Decision]] = [
    ("nothing was ever wrong", FINE, None, DIGEST, Decision(SILENT, "first_seen")),
    ("it is as it was from the start", FINE, KNEW_FINE, DIGEST, Decision(SILENT, "first_seen")),
    ("reached before anybody looked", REACHED, None, DIGEST, Decision(SILENT, "first_seen")),
    ("behind before anybody looked", BEHIND, None, DIGEST, Decision(TOLD, "behind")),
    ("newly at risk, on a Monday", RISK, KNEW_FINE, DIGEST, Decision(TOLD, "at_risk")),
    ("newly at risk, on a Tuesday", RISK, KNEW_FINE, BETWEEN, Decision(HELD, "at_risk", until=NEXT_MONDAY)),
    ("still at risk", RISK, KNEW_RISK, DIGEST, Decision(SILENT, "unchanged")),
    ("a binding target falls behind", BEHIND, KNEW_RISK, BETWEEN, Decision(TOLD, "behind", is_urgent=True)),
    (
        "a target that binds nobody falls behind",
        replace(BEHIND, is_pressing=False),
        KNEW_RISK,
        BETWEEN,
        Decision(HELD, "behind", until=NEXT_MONDAY),
    ),
    (
        "behind at night",
        BEHIND,
        KNEW_FINE,
        NIGHT,
        Decision(HELD, "behind", is_urgent=True, until=date(2026, 11, 25)),
    ),
    ("a deadline passes", OVERDUE, KNEW_BEHIND, BETWEEN, Decision(TOLD, "overdue", is_urgent=True)),
    ("still behind", BEHIND, KNEW_BEHIND, DIGEST, Decision(SILENT, "unchanged")),
    ("four points further", replace(BEHIND, points=-14.0), KNEW_BEHIND, DIGEST, Decision(SILENT, "unchanged")),
    ("five points further", replace(BEHIND, points=-15.0), KNEW_BEHIND, DIGEST, Decision(TOLD, "worse")),
    (
        "three months further",
        replace(BEHIND, months=7.0),
        KNEW_BEHIND,
        BETWEEN,
        Decision(HELD, "worse", until=NEXT_MONDAY),
    ),
    ("a week without an answer", BEHIND, days_ago(KNEW_BEHIND, 7), DIGEST, Decision(TOLD, "reminder")),
    (
        "a week after a reminder",
        BEHIND,
        replace(days_ago(KNEW_BEHIND, 7), reason="reminder"),
        DIGEST,
        Decision(SILENT, "unchanged"),
    ),
    (
        "thirty days after a reminder",
        BEHIND,
        replace(days_ago(KNEW_BEHIND, 30), reason="reminder"),
        DIGEST,
        Decision(TOLD, "reminder"),
    ),
    ("no longer behind", RISK, KNEW_BEHIND, DIGEST, Decision(TOLD, "eased")),
    ("on track again", FINE, KNEW_BEHIND, DIGEST, Decision(TOLD, "recovered")),
    ("on track again, at night", FINE, KNEW_BEHIND, NIGHT, Decision(HELD, "recovered", until=NEXT_MONDAY)),
    ("at risk no more", FINE, KNEW_RISK, DIGEST, Decision(TOLD, "recovered")),
    ("reached", REACHED, KNEW_FINE, DIGEST, Decision(TOLD, "reached")),
    ("reached from behind", REACHED, KNEW_BEHIND, DIGEST, Decision(TOLD, "reached")),
    (
        "still reached",
        REACHED,
        replace(KNEW_FINE, status="reached", reason="reached"),
        DIGEST,
        Decision(SILENT, "nothing_wrong"),
    ),
    ("no recent data", STALE, KNEW_FINE, DIGEST, Decision(SILENT, "data_in_doubt")),
    ("no recent data of what was behind", STALE, KNEW_BEHIND, DIGEST, Decision(SILENT, "data_in_doubt")),
    ("no data yet", Standing("no_data", None), None, DIGEST, Decision(SILENT, "no_data")),
    (
        "its deadline passes, and nobody knows the figure of that day",
        replace(OVERDUE, is_pressing=False),
        KNEW_BEHIND,
        BETWEEN,
        Decision(HELD, "overdue", until=NEXT_MONDAY),
    ),
    ("cancelled", GONE, KNEW_FINE, DIGEST, Decision(SILENT, "nothing_wrong")),
    ("cancelled while behind", GONE, KNEW_BEHIND, DIGEST, Decision(TOLD, "withdrawn")),
    (
        "its figure is not known",
        Standing("awaiting_figure", None),
        KNEW_BEHIND,
        DIGEST,
        Decision(SILENT, "asked_elsewhere"),
    ),
    ("late by one reading only", Standing("behind", None), None, DIGEST, Decision(SILENT, "disputed")),
    (
        "another method",
        replace(BEHIND, is_rejudged=True),
        KNEW_FINE,
        BETWEEN,
        Decision(HELD, "rejudged", until=NEXT_MONDAY),
    ),
    (
        "another method doubts what was judged",
        Standing("unverified", None, is_rejudged=True),
        KNEW_BEHIND,
        DIGEST,
        Decision(TOLD, "rejudged"),
    ),
    (
        "another method, told",
        replace(BEHIND, is_rejudged=True),
        replace(KNEW_BEHIND, reason="rejudged"),
        DIGEST,
        Decision(SILENT, "unchanged"),
    ),
]


@pytest.mark.parametrize(
    ("now", "told", "window", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_is_done(now: Standing, told: Told | None, window: Window, expected: Decision) -> None:
    assert decide(now, told, NOBODY_ANSWERED, window) == expected


def test_another_method_is_never_urgent() -> None:
    for now in (BEHIND, OVERDUE, RISK, FINE, REACHED):
        assert not decide(replace(now, is_rejudged=True), KNEW_RISK, NOBODY_ANSWERED, BETWEEN).is_urgent


# --- what a department answers -------------------------------------------------------------------------------------


def test_what_was_seen_is_not_reminded_of_after_a_week_but_after_a_month() -> None:
    seen = Answered(seen_on=MONDAY - timedelta(days=5))
    assert decide(BEHIND, days_ago(KNEW_BEHIND, 7), seen, DIGEST).reason == "unchanged"
    assert decide(BEHIND, days_ago(KNEW_BEHIND, 30), seen, DIGEST).reason == "reminder"


def test_what_was_seen_before_it_was_told_again_counts_for_nothing() -> None:
    seen = Answered(seen_on=MONDAY - timedelta(days=9))
    assert decide(BEHIND, days_ago(KNEW_BEHIND, 7), seen, DIGEST).reason == "reminder"


def test_a_snooze_is_silent_until_its_end_whatever_the_figure_and_then_it_is_told() -> None:
    snoozed = Answered(snoozed_until=NEXT_MONDAY)
    for now in (BEHIND, replace(BEHIND, points=-40.0), OVERDUE):
        assert decide(now, days_ago(KNEW_BEHIND, 9), snoozed, DIGEST) == Decision(SILENT, "snoozed", until=NEXT_MONDAY)
    after = replace(DIGEST, day=NEXT_MONDAY)
    assert decide(BEHIND, KNEW_BEHIND, snoozed, after) == Decision(TOLD, "reminder")


def test_a_recovery_is_told_through_a_snooze() -> None:
    assert decide(FINE, KNEW_BEHIND, Answered(snoozed_until=NEXT_MONDAY), DIGEST).reason == "recovered"


# --- the traps -----------------------------------------------------------------------------------------------------


def test_a_recovery_is_told_only_to_whoever_was_told_of_the_fault() -> None:
    held = decide(BEHIND, KNEW_FINE, NOBODY_ANSWERED, NIGHT)
    assert held.outcome is HELD
    # by morning it is over, and nobody knew
    assert decide(FINE, KNEW_FINE, NOBODY_ANSWERED, BETWEEN).outcome is SILENT


def test_what_goes_up_and_down_between_two_digests_gives_one_message() -> None:
    assert decide(BEHIND, KNEW_FINE, NOBODY_ANSWERED, BETWEEN).is_urgent
    told = replace(KNEW_BEHIND, on=TUESDAY)
    for now, reason in ((FINE, "recovered"), (BEHIND, "unchanged"), (FINE, "recovered"), (BEHIND, "unchanged")):
        decision = decide(now, told, NOBODY_ANSWERED, BETWEEN)
        assert (decision.reason, decision.outcome is TOLD) == (reason, False)


def test_nothing_is_told_once_and_then_never_again() -> None:
    told, heard = KNEW_BEHIND, []
    for week in range(52):
        window = replace(DIGEST, day=MONDAY + timedelta(weeks=week))
        decision = decide(BEHIND, told, NOBODY_ANSWERED, window)
        if decision.outcome is TOLD:
            heard.append(week)
            told = replace(told, on=window.day, reason=decision.reason)
    assert heard[:3] == [1, 6, 11]
    assert max(after - before for before, after in pairwise(heard)) == 5


# --- the other promises on a figure, and figures that are owed ----------------------------------------------------


def test_of_another_promise_on_a_figure_only_what_the_first_does_not_say_is_told() -> None:
    beside = replace(BEHIND, level=None)
    known = Told("behind", Level.FINE, AGO, "same_story")
    assert decide_beside(beside, None, DIGEST) == Decision(SILENT, "same_story")
    assert decide_beside(replace(REACHED, level=None), known, DIGEST) == Decision(TOLD, "reached")
    assert decide_beside(replace(REACHED, level=None), None, DIGEST) == Decision(SILENT, "first_seen")
    assert decide_beside(replace(beside, is_rejudged=True, status="at_risk"), known, DIGEST).reason == "rejudged"


def test_a_figure_is_asked_for_once_a_month_and_thanked_for_once() -> None:
    asked = Told("awaiting_figure", Level.FINE, MONDAY - timedelta(days=29), "awaiting_figure")
    assert ask(is_awaited=True, is_known=False, told=None, window=DIGEST) == Decision(TOLD, "awaiting_figure")
    assert ask(is_awaited=True, is_known=False, told=asked, window=DIGEST) == Decision(SILENT, "asked_lately")
    again = replace(asked, on=MONDAY - timedelta(days=30))
    assert ask(is_awaited=True, is_known=False, told=again, window=DIGEST) == Decision(TOLD, "awaiting_figure")
    assert ask(is_awaited=False, is_known=True, told=asked, window=DIGEST) == Decision(TOLD, "figure_came")
    assert ask(is_awaited=False, is_known=False, told=asked, window=DIGEST) is None, "its deadline moved: nothing came"
    assert ask(is_awaited=False, is_known=True, told=replace(asked, reason="figure_came"), window=DIGEST) is None
    assert ask(is_awaited=False, is_known=True, told=None, window=DIGEST) is None


# --- when a department may be written to ---------------------------------------------------------------------------

KORTRIJK = all_cities()["kortrijk"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Brussels"))


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-11-23 07:59", False, "2026-11-23 08:00"),
        ("2026-11-23 08:00", True, "2026-11-24 08:00"),
        ("2026-11-23 18:00", False, "2026-11-24 08:00"),
        ("2026-11-27 18:30", False, "2026-11-30 08:00"),
        ("2026-11-28 12:00", False, "2026-11-30 08:00"),
        # Easter Monday
        ("2027-03-29 10:00", False, "2027-03-30 08:00"),
        # the night in which the clocks go back
        ("2026-10-25 02:30", False, "2026-10-26 08:00"),
    ],
)
def test_nobody_is_written_to_outside_working_hours(moment: str, opens: str, *, is_open: bool) -> None:
    assert hours.is_open(KORTRIJK, at(moment)) == is_open
    assert hours.next_opening(KORTRIJK, at(moment)) == at(opens)


def test_a_moment_in_utc_is_read_on_the_clock_of_the_city() -> None:
    assert hours.is_open(KORTRIJK, datetime.fromisoformat("2026-07-06T06:00:00+00:00"))
    assert not hours.is_open(KORTRIJK, datetime.fromisoformat("2026-11-23T06:30:00+00:00"))
