"""What is decided of every target for whoever it belongs to, also where that is silence: each leaves a row.

Belongs here: from verdicts and from what was told to the policy's questions, and the words for its answers. Does not
belong here: the rules (`policy`), the message (`digest`), keeping it (`warehouse.state`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from orchestration.alerts import wording
from orchestration.alerts.answers import Standing as Answered
from orchestration.alerts.policy import (
    COORDINATOR,
    NOBODY_ANSWERED,
    Decision,
    Level,
    Outcome,
    Standing,
    Told,
    Topic,
    Window,
    ask,
    decide,
    decide_beside,
    escalate,
    escalated_to,
)
from warehouse.state import Alert, Fate

OPEN = "open"
_JUDGED_FINE = ("on_track", "reached")
_AWAITED = "awaiting_figure"


@dataclass(frozen=True, slots=True)
class Decided:
    """What is done with one target for one department; `told` is what it knew before."""

    department_id: str
    target_id: str
    topic: Topic
    standing: Standing
    decision: Decision
    told: Told | None = None

    @property
    def is_told(self) -> bool:
        """Whether it goes out now."""
        return self.decision.outcome is Outcome.TOLD

    @property
    def is_open(self) -> bool:
        """Whether it is late, and its department knows."""
        return self.decision.reason == "unchanged" and self.standing.level is Level.LATE

    def noted(self, message_key: str | None, build_id: str, at: datetime) -> Alert:
        """Its row in the log: what was to be told and has no message follows at the next evaluation."""
        outcome, reason = self.decision.outcome, self.decision.reason
        if self.is_told and message_key is None:
            outcome, reason = Outcome.HELD, "not_made"
        level = self.standing.level
        # whoever is told that nothing is judged any more knows of no fault
        known = Level.FINE if level is None and reason in {"withdrawn", "rejudged"} else level
        return Alert(
            self.department_id,
            self.target_id,
            self.standing.status,
            outcome.value,
            reason,
            message_key if self.is_told else None,
            build_id,
            at,
            build_id,
            at,
            topic=self.topic.value,
            level=known.value if known is not None and self.topic is Topic.JUDGEMENT else None,
            points=self.standing.points,
            months=self.standing.months,
            until=self.decision.until,
        )


class Knowledge:
    """What each department was told last, by story and by target.

    Args:
        alerts: what is known of each target, oldest first.
        story_of: by target its story.
        time_zone: of the city.
    """

    def __init__(self, alerts: Iterable[Alert], story_of: Mapping[str, str], time_zone: str) -> None:
        self._stories: dict[tuple[str, str], Told] = {}
        self._targets: dict[tuple[str, str, str], Told] = {}
        zone = ZoneInfo(time_zone)
        for each in alerts:
            level = Level(each.level or Level.FINE)
            on = each.first_at.astimezone(zone).date()
            told = Told(each.status, level, on, each.reason, each.points, each.months)
            self._targets[each.department_id, each.target_id, each.topic] = told
            if each.level is not None:
                self._stories[each.department_id, story_of.get(each.target_id, each.target_id)] = told

    def of_story(self, department_id: str, story_id: str) -> Told | None:
        """What a department knows of a story."""
        return self._stories.get((department_id, story_id))

    def of_target(self, department_id: str, target_id: str, topic: Topic) -> Told | None:
        """What a department knows of one target."""
        return self._targets.get((department_id, target_id, topic.value))


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads beside the departments, and what departments do not answer.

    Attributes:
        departments: those of the city; None where every name is one.
        reads: whether somebody stands in the file with recipients under a name.
        unanswered: by department and target, how often it was told and did not answer.
    """

    departments: frozenset[str] | None = None
    reads: Callable[[str], bool] = lambda _: False
    unanswered: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def owner(self, department_id: str | None) -> str:
        """Who is told: the department; the coordinator where nobody, or nobody that we know, is responsible."""
        if department_id and (self.departments is None or department_id in self.departments):
            return department_id
        return COORDINATOR if self.reads(COORDINATOR) else department_id or ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One look at all that was judged.

    Attributes:
        verdicts: rows of `fct_target_verdicts`.
        knowledge: what was told.
        answered: by target what its department answered.
        rejudged: the targets whose status another method or definition changed.
        window: by department what may leave.
        readers: who reads beside the departments.
    """

    verdicts: pl.DataFrame
    knowledge: Knowledge
    answered: Mapping[str, Answered]
    rejudged: Iterable[str]
    window: Callable[[str], Window]
    readers: Readers = field(default_factory=Readers)

    def decided(self) -> list[Decided]:
        """One per target for its department, and one per figure that its supplier owes or just gave."""
        rejudged, found = set(self.rejudged), []
        for row in self.verdicts.sort("target_id").iter_rows(named=True):
            found.append(self._judged(row, is_rejudged=row["target_id"] in rejudged))
            found += self._asked(row)
        written = {each.department_id for each in found if each.is_told and not each.decision.is_urgent}
        listed = [_listed(each) if each.department_id in written and each.is_open else each for each in found]
        return [*listed, *(other for each in listed for other in self._escalated(each))]

    def _escalated(self, each: Decided) -> Iterator[Decided]:
        """What is told again to a department that does not answer is told to others too."""
        if not (each.is_told and each.standing.level is Level.LATE):
            return
        unanswered = self.readers.unanswered.get((each.department_id, each.target_id), 0)
        for reader in escalated_to(each.department_id, unanswered):
            if reader != each.department_id and self.readers.reads(reader):
                told = self.knowledge.of_target(reader, each.target_id, each.topic)
                decision = escalate(told, self.window(reader))
                yield replace(
                    each, department_id=reader, decision=decision, standing=replace(each.standing, level=None)
                )

    def _judged(self, row: Mapping[str, Any], *, is_rejudged: bool) -> Decided:
        department, target, topic = self.readers.owner(row["department_id"]), row["target_id"], Topic.JUDGEMENT
        is_first = row["is_first_of_story"]
        now = _standing(row, is_first=is_first, is_rejudged=is_rejudged)
        told = None
        if not department:
            decision = Decision(Outcome.SILENT, "no_owner")
        elif is_first:
            told = self.knowledge.of_story(department, row["story_id"])
            answered = self.answered.get(target, NOBODY_ANSWERED)
            decision = decide(now, told, answered, self.window(department))
        else:
            told = self.knowledge.of_target(department, target, topic)
            decision = decide_beside(now, told, self.window(department))
        return Decided(department, target, topic, now, decision, told)

    def _asked(self, row: Mapping[str, Any]) -> Iterator[Decided]:
        supplier, target, topic = row["data_owner_department_id"], row["target_id"], Topic.FIGURE
        if not supplier:
            return
        told = self.knowledge.of_target(supplier, target, topic)
        is_awaited = row["status"] == _AWAITED
        decision = ask(is_awaited=is_awaited, is_known=_is_known(row), told=told, window=self.window(supplier))
        if decision is not None:
            yield Decided(supplier, target, topic, Standing(row["status"], None), decision)


def _listed(each: Decided) -> Decided:
    """What is still open goes along with a message that leaves anyway, and need not be reminded of soon.

    How far behind it was stays what it was: a little worse in every list is much worse in the end.
    """
    told = each.told or Told("", Level.LATE, date.min, "")
    standing = replace(each.standing, points=told.points, months=told.months)
    return replace(each, standing=standing, decision=Decision(Outcome.TOLD, OPEN))


def _standing(row: Mapping[str, Any], *, is_first: bool, is_rejudged: bool) -> Standing:
    relative = _relative_gap(row)
    return Standing(
        status=row["status"],
        level=_level(row) if is_first else None,
        points=None if relative is None else 100 * relative,
        months=row["months_behind"],
        is_pressing=_is_known(row) if row["status"] == "overdue" else bool(row["is_binding"]),
        is_rejudged=is_rejudged,
    )


def _level(row: Mapping[str, Any]) -> Level | None:
    if row["is_alarm"]:
        return Level.LATE
    if row["attention_nl"] is not None:
        return Level.AT_RISK
    return Level.FINE if row["status"] in _JUDGED_FINE else None


def _is_known(row: Mapping[str, Any]) -> bool:
    """Whether there is a figure of its deadline, or of later."""
    return None not in (row["ref_date"], row["target_date"]) and row["ref_date"] >= row["target_date"]


def _relative_gap(row: Mapping[str, Any]) -> float | None:
    """The gap as a share of the way to go: the only way to compare trees with percentages."""
    if row["gap"] is None:
        return None
    way = abs((row["target_value"] or 0.0) - (row["baseline_value"] or 0.0)) or abs(row["required_value"] or 0.0)
    return float(row["gap"]) / (way or 1.0)


def silence_of(alert: Alert) -> str:
    """Why somebody heard nothing, in English."""
    until = f" until {alert.until:%Y-%m-%d}" if alert.until else ""
    why = wording.reason_en(alert.reason)
    return f"held{until}: {why}" if alert.outcome == Outcome.HELD else f"{why}{until}"


def fate_of(alert: Alert, fates: Mapping[str, Fate]) -> str:
    """What was decided and what became of its message, in English."""
    if alert.outcome != Outcome.TOLD:
        return silence_of(alert) if alert.outcome == Outcome.HELD else f"silent, {silence_of(alert)}"
    why = wording.reason_en(alert.reason)
    fate = fates.get(alert.message_key or "")
    if fate is None:
        return f"taken back with its build before it left, {why}"
    if fate.sent_at is not None:
        return f"sent on {fate.sent_at:%Y-%m-%d %H:%M} UTC, {why}"
    return f"{'given up' if fate.is_dead else 'waits'}, {why}: {fate.last_error or 'not tried yet'}"
