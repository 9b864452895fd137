"""Three years of messages, day by day: few, each with news or a reminder, and every fault told with its end."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from orchestration.alerts.wording import iso_week
from tests.verdicts.three_years import FIRST, YEARS, Inbox, evaluations, statuses, still_open, three_years

DEPARTMENTS = 12
OPENED = {"behind", "overdue", "at_risk"}
CLOSED = {"recovered", "reached", "withdrawn"}


@pytest.fixture(scope="module")
def by_month(method: Mapping[str, str]) -> np.ndarray:
    return statuses(method, 50, ("poisson", "ar .9"))


@pytest.fixture(scope="module")
def inbox(by_month: np.ndarray) -> Inbox:
    return three_years(evaluations(DEPARTMENTS, by_month))


def heard(inbox: Inbox) -> Mapping[tuple[str, str], list[tuple[date, str]]]:
    """By department and target what was told, in order."""
    said: dict[tuple[str, str], list[tuple[date, str]]] = {}
    for message in inbox.messages:
        for target, reason in message.lines:
            said.setdefault((message.department_id, target), []).append((message.day, reason))
    return said


def test_a_department_gets_one_digest_a_week_and_one_urgent_message_a_day_at_most(inbox: Inbox) -> None:
    weekly = Counter((each.department_id, iso_week(each.day)) for each in inbox.messages if not each.is_urgent)
    daily = Counter((each.department_id, each.day) for each in inbox.messages if each.is_urgent)
    assert max(weekly.values()) == 1
    assert max(daily.values()) == 1


def test_nothing_leaves_on_a_day_on_which_nobody_works(inbox: Inbox) -> None:
    assert {each.day.weekday() for each in inbox.messages} <= set(range(5))
    assert not {each.day for each in inbox.messages} & {date(2026, 4, 6), date(2026, 7, 21), date(2026, 12, 25)}


def test_every_fault_that_was_told_is_told_to_be_over_or_is_open_and_no_end_is_told_of_what_was_not(
    inbox: Inbox,
) -> None:
    is_open = still_open(inbox)
    for key, told in heard(inbox).items():
        balance = 0
        for _, reason in told:
            assert reason not in CLOSED or balance == 1, f"{key}: {reason} of what was never told"
            balance = 1 if reason in OPENED else 0 if reason in CLOSED else balance
        assert (key in is_open) == bool(balance), key


def test_no_message_is_repeated_but_as_a_reminder_that_waits(inbox: Inbox) -> None:
    for told in heard(inbox).values():
        for (_, before), (_, after) in pairwise(told):
            assert before != after or after in {"reminder", "open", "worse"}
        reminders = [day for day, reason in told if reason == "reminder"]
        assert all(later - day >= timedelta(days=28) for day, later in pairwise(reminders))
    # a message holds something that is new, or a reminder
    assert all({reason for _, reason in each.lines} != {"open"} for each in inbox.messages)


def test_what_is_urgent_is_told_on_the_first_working_day_after_it_came_to_be_known(inbox: Inbox) -> None:
    urgent = [each for each in inbox.messages if each.is_urgent]
    assert urgent
    # a month's figure comes six days after its end
    assert {each.day.day for each in urgent} <= set(range(5, 12))


def test_a_head_hears_far_less_than_by_one_alert_for_each_failure(inbox: Inbox, by_month: np.ndarray) -> None:
    failures = int((by_month[:, 23 : 23 + 12 * YEARS] == 0).sum())
    assert len(inbox.messages) < failures


def test_figures_that_stop_coming_alarm_no_head(by_month: np.ndarray) -> None:
    frozen = FIRST + timedelta(days=400)
    inbox = three_years(evaluations(DEPARTMENTS, by_month, frozen), at=(8,))
    after = [each for each in inbox.messages if each.day >= frozen]
    assert [each for each in after if {reason for _, reason in each.lines} & OPENED] == []
    assert [each for each in after if each.is_urgent] == []
