from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.alerts.answers import (
    KINDS,
    LONGEST_TEXT,
    MOST_DAYS,
    AnswerRefusedError,
    Standing,
    checked,
    day_written,
    standing_on,
)
from warehouse.state import Answer, Plan

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)
BRUSSELS = ZoneInfo("Europe/Brussels")
MARCH = date(2027, 3, 1)
PLAN = Plan("Er staan er 300.", "De kweker levert laat.", "Een tweede kweker.", "diensthoofd groen", MARCH)


def answer(kind: str, **said: object) -> Answer:
    return Answer("trees", "groen", kind, NOW, "web")._replace(**said)


SNOOZED = answer("snooze", reason="De plantdagen zijn in maart.", until=MARCH)
PLANNED = answer("plan", plan=PLAN)
DISPUTED = answer("dispute", reason="De telling van mei ontbreekt.")


def stands(*answers: Answer, day: date = TODAY) -> Standing:
    return standing_on(answers, day, BRUSSELS)["trees"]


def test_a_snooze_ends_at_its_date_and_by_itself() -> None:
    assert stands(SNOOZED, day=MARCH - timedelta(days=1)).snoozed_until == MARCH
    assert stands(SNOOZED, day=MARCH).snoozed_until is None
    assert stands(SNOOZED, day=MARCH).seen_on is None, "what is put off is told again"


def test_a_snooze_is_ended_by_hand_and_replaced_by_the_next() -> None:
    assert stands(SNOOZED, answer("snooze_ended")).snoozed_until is None
    sooner = SNOOZED._replace(until=MARCH - timedelta(days=9))
    assert stands(SNOOZED, sooner).snoozed_until == sooner.until


def test_a_dispute_stays_until_it_is_answered_whatever_else_is_said() -> None:
    much_later = date(2031, 1, 1)
    assert stands(DISPUTED, answer("seen"), SNOOZED, PLANNED, day=much_later).dispute == DISPUTED
    assert stands(DISPUTED, answer("dispute_closed", reason="Nageteld."), day=much_later).dispute is None


def test_the_newest_plan_stands_and_whoever_plans_has_seen_it_by_the_clock_of_the_city() -> None:
    newer = answer("plan", plan=PLAN._replace(action="Zelf kweken."))
    assert stands(PLANNED, newer) == Standing(seen_on=TODAY, plan=newer)


def test_an_answer_of_the_data_owner_does_not_say_that_the_head_saw_it() -> None:
    assert stands(answer("dispute_closed", reason="Nageteld.")).seen_on is None


def test_answers_belong_to_their_own_target() -> None:
    both = standing_on([SNOOZED, answer("seen", target_id="bikes")], TODAY, BRUSSELS)
    assert (both["trees"].snoozed_until, both["bikes"].snoozed_until) == (MARCH, None)


@given(st.lists(st.sampled_from([*map(answer, KINDS), SNOOZED, PLANNED, DISPUTED])), st.dates())
def test_what_stands_follows_from_the_last_answer_of_its_kind(answers: list[Answer], day: date) -> None:
    found = standing_on(answers, day, BRUSSELS).get("trees", Standing())
    disputes = [each for each in answers if each.kind.startswith("dispute")]
    assert found.dispute == (disputes[-1] if disputes and disputes[-1].kind == "dispute" else None)
    plans = [each for each in answers if each.kind == "plan"]
    assert found.plan == (plans[-1] if plans else None)
    snoozes = [each for each in answers if each.kind.startswith("snooze")]
    until = snoozes[-1].until if snoozes else None
    assert found.snoozed_until == (until if until and until > day else None)


def test_an_answer_is_kept_in_one_line_and_holds_what_belongs_to_its_kind() -> None:
    said = answer("seen", reason="x", until=MARCH, plan=PLAN)
    assert checked(said, TODAY) == answer("seen")
    assert checked(SNOOZED._replace(reason=" in\r\n maart\x00 "), TODAY).reason == "in maart"
    assert checked(PLANNED, TODAY) == PLANNED


@pytest.mark.parametrize(
    ("wrong", "field", "why"),
    [
        (SNOOZED._replace(until=None), "until", "is needed"),
        (SNOOZED._replace(until=TODAY), "until", "after today"),
        (SNOOZED._replace(until=TODAY + timedelta(days=MOST_DAYS + 1)), "until", "half a year"),
        (SNOOZED._replace(reason=" \n "), "reason", "is needed"),
        (DISPUTED._replace(reason=None), "reason", "is needed"),
        (DISPUTED._replace(reason="x" * (LONGEST_TEXT + 1)), "reason", "too long"),
        (DISPUTED._replace(reason="Vraag het aan jan.peeters@stad.test"), "reason", "of a person"),
        (DISPUTED._replace(reason="Bel 0479 11 22 33"), "reason", "of a person"),
        (DISPUTED._replace(reason="Het gaat om 85.07.30-033.28"), "reason", "of a person"),
        (answer("plan"), "fact", "is needed"),
        (answer("plan", plan=PLAN._replace(owner="jan@stad.test")), "owner", "of a person"),
        (answer("plan", plan=PLAN._replace(cause="")), "cause", "is needed"),
        (answer("plan", plan=PLAN._replace(due_date=TODAY)), "due_date", "after today"),
    ],
)
def test_an_answer_that_lacks_something_or_holds_a_person_is_refused(wrong: Answer, field: str, why: str) -> None:
    with pytest.raises(AnswerRefusedError, match=why) as refused:
        checked(wrong, TODAY)
    assert refused.value.field == field
    assert "stad.test" not in str(refused.value)


def test_a_day_is_read_as_a_calendar_or_a_belgian_writes_it() -> None:
    assert day_written("until", "2027-03-01") == day_written("until", " 1/3/2027") == MARCH
    for none in ("", "32/1/2027", "maart", "2027-02-30"):
        with pytest.raises(AnswerRefusedError):
            day_written("until", none)
