"""Who is told what, and when: pure functions from what was told and what is so now to a decision.

A *story* is one figure with every promise that rests on it. A department is told of a story when it changes, not at
every build: what it was told last is compared with what is so now. A change that undoes itself before it could be
told is never told, and a recovery is told only to whoever was told of the fault.

Belongs here: the rules and their numbers. Does not belong here: words (`decisions`, `digest`), hours (`hours`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from orchestration.alerts.answers import Standing as Answered

FIRST_REMINDER = timedelta(days=7)
NEXT_REMINDERS = timedelta(days=30)
ASKED_AGAIN = timedelta(days=30)
"""How long after the last request a figure is asked for again."""

WORSE_BY_POINTS = 5.0
"""Percentage points of the way to go."""

WORSE_BY_MONTHS = 3.0


COORDINATOR, DIRECTOR = "coordinator", "general_director"
"""Readers beside the departments: lines of the file with recipients."""

_COORDINATOR_AFTER, _DIRECTOR_AFTER = 2, 4
_DEPUTY = ".deputy"


class Level(StrEnum):
    """How a story stands for whoever is responsible."""

    FINE = "fine"
    AT_RISK = "at_risk"
    LATE = "late"


class Outcome(StrEnum):
    """What is done with a story at an evaluation."""

    TOLD = "told"
    HELD = "held"
    SILENT = "silent"


class Topic(StrEnum):
    """What a decision is about: how a target is judged, or a figure that its supplier owes."""

    JUDGEMENT = "judgement"
    FIGURE = "figure"


@dataclass(frozen=True, slots=True)
class Standing:
    """One story as it stands for one department.

    Attributes:
        status: the status of its first promise.
        level: None while the data is in doubt, or nothing is judged.
        points: distance to the path in percentage points of the way to go; negative is behind.
        months: how many months behind.
        is_pressing: whether it is told today once it is late: the city bound itself to it, or its deadline has passed
            and a figure of that day or later says so.
        is_rejudged: whether another method or definition changed its status, and not the city.
    """

    status: str
    level: Level | None
    points: float | None = None
    months: float | None = None
    is_pressing: bool = False
    is_rejudged: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a department knows of a story: what it was told last, or what was so when it was first looked at.

    Attributes:
        on: the day.
        reason: why it was told.
    """

    status: str
    level: Level
    on: date
    reason: str
    points: float | None = None
    months: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What may leave at a moment, for one department.

    Attributes:
        day: the city date.
        digest: whether the digest of its week is made now.
        urgent: whether an urgent message may leave now.
        next_digest: when the next digest is due, where it is not made now.
        next_urgent: when an urgent message may leave, where it may not now.
    """

    day: date
    digest: bool
    urgent: bool
    next_digest: date
    next_urgent: date


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with one story, and why.

    Attributes:
        reason: a word of the seed `alert_reason_labels`.
        is_urgent: it leaves by itself, today.
        until: the day until which it is held or snoozed.
    """

    outcome: Outcome
    reason: str
    is_urgent: bool = False
    until: date | None = None


NOBODY_ANSWERED = Answered()
_NOT_JUDGED = ("cancelled", "contested", "not_started", "monitored")
_AWAITED, _NO_DATA = "awaiting_figure", "no_data"
_DUE = "overdue"
_REACHED = "reached"
_REJUDGED = "rejudged"
_FIRST_SEEN = "first_seen"
_CLOSING = ("recovered", "reached", "withdrawn")
_SILENT = (
    "unchanged",
    "nothing_wrong",
    _FIRST_SEEN,
    "data_in_doubt",
    _NO_DATA,
    "asked_elsewhere",
    "disputed",
    "same_story",
)
_REMINDED = ("reminder", "open")
_UNFAVOURABLE = ("behind", _DUE, "at_risk")


def decide(now: Standing, told: Told | None, answered: Answered, window: Window) -> Decision:
    """What is done with a story at an evaluation.

    Args:
        now: how it stands.
        told: what its department knows; None where it was never told anything, and never looked at.
        answered: what the department answered.
        window: what may leave.
    """
    reason = _news(now, told, answered, window.day)
    until = answered.snoozed_until
    is_wanted = reason in _CLOSING or (reason in _SILENT and reason != "unchanged")
    if until is not None and window.day < until and not is_wanted:
        return Decision(Outcome.SILENT, "snoozed", until=until)
    is_urgent = reason in ("behind", _DUE) and now.is_pressing
    return _leave(reason, window, is_urgent=is_urgent)


def decide_beside(now: Standing, told: Told | None, window: Window) -> Decision:
    """What is done with a promise that is not the first of its story: only what the first does not say is told."""
    if now.is_rejudged and (told is None or now.status != told.status):
        return _leave(_REJUDGED, window)
    if now.status == _REACHED and told is not None and told.status != _REACHED:
        return _leave(_REACHED, window)
    return _leave("same_story" if now.status in _UNFAVOURABLE else _FIRST_SEEN, window)


def escalated_to(department_id: str, unanswered: int) -> tuple[str, ...]:
    """Who else is told of what a department was told so often and did not answer."""
    nearby = (deputy_of(department_id), COORDINATOR) if unanswered >= _COORDINATOR_AFTER else ()
    return (*nearby, *((DIRECTOR,) if unanswered >= _DIRECTOR_AFTER else ()))


def deputy_of(department_id: str) -> str:
    """The name under which the deputy of a department reads."""
    return f"{department_id}{_DEPUTY}"


def is_deputy(reader: str) -> bool:
    """Whether that is the name of the deputy of a department."""
    return reader.endswith(_DEPUTY)


def owner_of(reader: str) -> str:
    """The department whose deputy a reader is, or the reader."""
    return reader.removesuffix(_DEPUTY)


def escalate(told: Told | None, window: Window) -> Decision:
    """Whether a reader is told of what a department does not answer: with the digest, once a month at most."""
    is_soon = told is not None and window.day < told.on + NEXT_REMINDERS
    return Decision(Outcome.SILENT, "unchanged") if is_soon else _leave("escalated", window)


def ask(*, is_awaited: bool, is_known: bool, told: Told | None, window: Window) -> Decision | None:
    """Whether the supplier of a figure is asked for it, at most monthly, or thanked; None where neither matters.

    Args:
        is_awaited: whether the figure is missing although it is due.
        is_known: whether there is a figure of that day or later; what is no longer asked for need not have come.
        told: when it was last asked for or thanked for; None where it never was.
        window: what may leave.
    """
    was_asked = told is not None and told.reason == _AWAITED
    if is_awaited:
        is_soon = told is not None and was_asked and window.day < told.on + ASKED_AGAIN
        return Decision(Outcome.SILENT, "asked_lately") if is_soon else _leave(_AWAITED, window)
    return _leave("figure_came", window) if was_asked and is_known else None


def _leave(reason: str, window: Window, *, is_urgent: bool = False) -> Decision:
    """With the digest where one is made now; else at once where it may, or it is held. What is no news is silent."""
    if reason in _SILENT:
        return Decision(Outcome.SILENT, reason)
    if window.digest:
        return Decision(Outcome.TOLD, reason)
    if is_urgent:
        urgent = Decision(Outcome.TOLD, reason, is_urgent=True)
        return urgent if window.urgent else Decision(Outcome.HELD, reason, is_urgent=True, until=window.next_urgent)
    return Decision(Outcome.HELD, reason, until=window.next_digest)


def _news(now: Standing, told: Told | None, answered: Answered, day: date) -> str:
    """Why a department should be told, or why it should not."""
    if now.is_rejudged and (told is None or now.status != told.status):
        return _REJUDGED
    if now.level is None:
        return _unjudged(now, told)
    if told is None:
        return _FIRST_SEEN if now.level is Level.FINE else _opened(now)
    if now.level is Level.FINE:
        return _closed(now, told)
    if now.level is not told.level:
        return "eased" if told.level is Level.LATE else _opened(now)
    return _still_late(now, told, answered, day) if now.level is Level.LATE else "unchanged"


def _unjudged(now: Standing, told: Told | None) -> str:
    if now.status == _AWAITED:
        return "asked_elsewhere"
    if now.status in _UNFAVOURABLE:
        return "disputed"
    if now.status not in _NOT_JUDGED:
        return _NO_DATA if now.status == _NO_DATA else "data_in_doubt"
    if told is None or told.level is Level.FINE:
        return "nothing_wrong"
    return "withdrawn"


def _opened(now: Standing) -> str:
    return now.status if now.level is Level.LATE else Level.AT_RISK.value


def _closed(now: Standing, told: Told) -> str:
    if now.status == _REACHED and told.status != _REACHED:
        return _REACHED
    if told.level is not Level.FINE:
        return "recovered"
    # what was so from the start stays one line in the log
    return told.reason if told.reason == _FIRST_SEEN else "nothing_wrong"


def _still_late(now: Standing, told: Told, answered: Answered, day: date) -> str:
    if now.status == _DUE and told.status != _DUE:
        return _DUE
    if _fell(told.points, now.points, WORSE_BY_POINTS) or _fell(now.months, told.months, WORSE_BY_MONTHS):
        return "worse"
    # whoever said that it was seen is not asked again after a week
    is_seen = answered.seen_on is not None and answered.seen_on >= told.on
    patience = NEXT_REMINDERS if is_seen or told.reason in _REMINDED else FIRST_REMINDER
    return "reminder" if day >= told.on + patience else "unchanged"


def _fell(before: float | None, after: float | None, by: float) -> bool:
    return before is not None and after is not None and before - after >= by
