"""What a department's answers come to: whether a target was seen, is put off, has a plan, or is said to be wrong.

Belongs here: what stands on a day, and what an answer must say to be kept. Does not belong here: who may give it
(`links`), keeping it (`warehouse.state`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from ingestion.door import without_identifiers
from warehouse.state import Answer, Plan

SEEN, SNOOZE, SNOOZE_ENDED = "seen", "snooze", "snooze_ended"
PLAN, DISPUTE, DISPUTE_CLOSED = "plan", "dispute", "dispute_closed"
KINDS: Final = (SEEN, SNOOZE, SNOOZE_ENDED, PLAN, DISPUTE, DISPUTE_CLOSED)
MOST_DAYS: Final = 183
"""A snooze lasts half a year at most: what nobody hears of for longer is forgotten."""
LONGEST_TEXT: Final = 500
# whoever plans or doubts has seen it; what is put off is told again at its end, and whoever settles a dispute need not
# be its owner
_SHOWS_IT_WAS_SEEN = frozenset({SEEN, PLAN, DISPUTE})
_NEEDS_A_REASON = frozenset({SNOOZE, DISPUTE, DISPUTE_CLOSED})
_TEXTS_OF_A_PLAN = ("fact", "cause", "action", "owner")
_BELGIAN_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")


class Fault(NamedTuple):
    """What is wrong with an answer, for a head and for the data team."""

    nl: str
    en: str


class AnswerRefusedError(ValueError):
    """An answer that cannot be kept; nothing of what was written is repeated."""

    def __init__(self, field: str, fault: Fault) -> None:
        super().__init__(f"{field}: {fault.en}")
        self.field, self.fault = field, fault


_EMPTY = Fault("dit is nog niet ingevuld", "is needed")
_PERSONAL = Fault(
    "hier staat een mailadres, telefoonnummer of ander nummer van een persoon; laat dat weg",
    "holds a mail address, telephone number or other number of a person; leave it out",
)
_NO_DAY = Fault("schrijf de dag als dd/mm/jjjj", "write the day as 2026-11-23")
_TOO_LONG = Fault(f"hou het bij {LONGEST_TEXT} tekens", f"is too long; keep it to {LONGEST_TEXT} characters")
_PAST = Fault("kies een dag na vandaag", "choose a day after today")
_TOO_FAR = Fault(
    f"kies een dag binnen een half jaar ({MOST_DAYS} dagen)", f"choose a day within half a year ({MOST_DAYS} days)"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the answers to one target come to on a day.

    Attributes:
        seen_on: the city date of the last answer that shows that its department saw it.
        snoozed_until: the first day on which it is told again; None when nothing is put off.
        snooze: the answer that put it off.
        plan: the answer that holds the newest plan.
        dispute: the answer that says that it is wrong, as long as nobody settled that.
        disputed_on: the city date of that answer.
    """

    seen_on: date | None = None
    snoozed_until: date | None = None
    snooze: Answer | None = None
    plan: Answer | None = None
    dispute: Answer | None = None
    disputed_on: date | None = None

    def after(self, answer: Answer, zone: ZoneInfo) -> "Standing":
        """What stands once another answer came."""
        on = answer.given_at.astimezone(zone).date()
        stands = replace(self, seen_on=on) if answer.kind in _SHOWS_IT_WAS_SEEN else self
        match answer.kind:
            case "snooze":
                return replace(stands, snoozed_until=answer.until, snooze=answer)
            case "snooze_ended":
                return replace(stands, snoozed_until=None, snooze=None)
            case "plan":
                return replace(stands, plan=answer)
            case "dispute":
                return replace(stands, dispute=answer, disputed_on=on)
            case "dispute_closed":
                return replace(stands, dispute=None, disputed_on=None)
        return stands

    def on(self, day: date) -> "Standing":
        """The same on a day: a snooze ends by itself."""
        is_over = self.snoozed_until is not None and self.snoozed_until <= day
        return replace(self, snoozed_until=None, snooze=None) if is_over else self


def standing_on(answers: Iterable[Answer], day: date, zone: ZoneInfo) -> Mapping[str, Standing]:
    """What stands for each target that was ever answered.

    Args:
        answers: in the order in which they came.
        day: of the city.
        zone: of the city.
    """
    stands: dict[str, Standing] = {}
    for answer in answers:
        stands[answer.target_id] = stands.get(answer.target_id, Standing()).after(answer, zone)
    return {target_id: each.on(day) for target_id, each in stands.items()}


def checked(answer: Answer, today: date) -> Answer:
    """An answer as it is kept: each text in one line.

    Raises:
        AnswerRefusedError: it lacks something, holds a person, or its day cannot be.
    """
    reason = _text("reason", answer.reason) if answer.kind in _NEEDS_A_REASON else None
    until, plan = None, None
    if answer.kind == SNOOZE:
        until = _later("until", answer.until, today)
        if until > today + timedelta(days=MOST_DAYS):
            raise AnswerRefusedError("until", _TOO_FAR)
    if answer.kind == PLAN:
        plan = _plan(answer.plan, today)
    return answer._replace(reason=reason, until=until, plan=plan)


def day_written(field: str, text: str) -> date:
    """A day as a form or a person writes it: `2026-11-23`, or `23/11/2026` where the browser has no calendar.

    Raises:
        AnswerRefusedError: it is none.
    """
    if not text.strip():
        raise AnswerRefusedError(field, _EMPTY)
    belgian = _BELGIAN_DAY.fullmatch(text.strip())
    written = "{2}-{1:0>2}-{0:0>2}".format(*belgian.groups()) if belgian else text.strip()
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise AnswerRefusedError(field, _NO_DAY) from None


def _plan(plan: Plan | None, today: date) -> Plan:
    if plan is None:
        raise AnswerRefusedError("fact", _EMPTY)
    fact, cause, action, owner = (_text(name, text) for name, text in zip(_TEXTS_OF_A_PLAN, plan[:4], strict=True))
    return Plan(fact, cause, action, owner, _later("due_date", plan.due_date, today))


def _text(field: str, written: str | None) -> str:
    text = _BLANKS.sub(" ", written or "").strip()
    if not text:
        raise AnswerRefusedError(field, _EMPTY)
    if len(text) > LONGEST_TEXT:
        raise AnswerRefusedError(field, _TOO_LONG)
    if without_identifiers(text) != text:
        raise AnswerRefusedError(field, _PERSONAL)
    return text


def _later(field: str, day: date | None, today: date) -> date:
    if day is None:
        raise AnswerRefusedError(field, _EMPTY)
    if day <= today:
        raise AnswerRefusedError(field, _PAST)
    return day
