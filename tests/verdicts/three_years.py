"""Three years of messages about programmes of which the figures are made up, day by day.

`python -m tests.verdicts.three_years` prints what five hundred programmes bring to twenty heads of department.
"""

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console

from contracts.cities.profile import City
from contracts.registry import all_cities
from orchestration.alerts import hours
from orchestration.alerts.decisions import Decided, Evaluation, Knowledge
from orchestration.alerts.policy import Level, Window
from orchestration.alerts.wording import iso_week
from tests.verdicts.calibration import told
from tests.verdicts.kinds import KINDS, STRAIGHT, Kind
from tests.verdicts.method import compiled
from tests.verdicts.programmes import MONTH_ENDS
from warehouse.state import Alert

CITY = all_cities()["kortrijk"]
FIRST, YEARS = date(2026, 1, 1), 3
ENDS = (1.1, 1.0, 0.95, 0.85, 0.6)
STATUSES: Mapping[int, str] = {0: "behind", 1: "at_risk", 2: "on_track"}
# after the end of a month its figure is there on this day
_REPORTED = timedelta(days=6)
SHAPES = ("poisson", "nb 6", "ar .9", "late 12", "season")
_FROM = MONTH_ENDS.index(date(2025, 12, 31))


@dataclass(frozen=True)
class Message:
    """What one department got at once: the target and the reason of each line."""

    department_id: str
    day: date
    is_urgent: bool
    lines: Sequence[tuple[str, str]]


@dataclass
class Inbox:
    """What every department got, and what it knows."""

    messages: list[Message] = field(default_factory=list)
    alerts: dict[tuple[str, str, str], Alert] = field(default_factory=dict)
    weeks: set[tuple[str, str]] = field(default_factory=set)
    urgent: set[tuple[str, date]] = field(default_factory=set)

    def windows(self, departments: Iterable[str], now: datetime, city: City) -> Mapping[str, Window]:
        """What may leave: the same questions as of a real outbox."""
        day, is_open, opening = (
            hours.city_day(city, now),
            hours.is_open(city, now),
            hours.next_opening(city, now).date(),
        )
        week = iso_week(day)
        return {
            each: Window(
                day,
                digest=is_open and (each, week) not in self.weeks,
                urgent=is_open and (each, day) not in self.urgent,
                next_digest=opening,
                next_urgent=opening,
            )
            for each in departments
        }

    def take(self, decided: Sequence[Decided], windows: Mapping[str, Window], now: datetime) -> None:
        """Notes what was told and what is known."""
        lines = defaultdict(list)
        for each in decided:
            if each.is_told or each.decision.reason in {"first_seen", "same_story"}:
                key = each.department_id, each.target_id, each.topic.value
                self.alerts[key] = each.noted("k", "b", now)
            if each.is_told:
                lines[each.department_id].append(each)
        for department, its in lines.items():
            is_urgent = any(each.decision.is_urgent for each in its)
            said = [(each.target_id, each.decision.reason) for each in its]
            self.messages.append(Message(department, windows[department].day, is_urgent, said))
            if is_urgent:
                self.urgent.add((department, windows[department].day))
        self.weeks |= {(department, iso_week(each.day)) for department, each in windows.items() if each.digest}


def statuses(code: Mapping[str, str], programmes: int, shapes: Sequence[str] = SHAPES) -> np.ndarray:
    """What the method says of made-up programmes, by month: rank or nan, programmes by 84 months."""
    kinds = [kind for kind in KINDS if kind.group == STRAIGHT and kind.name in shapes]
    each = -(-programmes // (len(kinds) * len(ENDS)))
    rows = [_by_month(code, kind, end, each) for kind in kinds for end in ENDS]
    return np.concatenate(rows)[:programmes]


def _by_month(code: Mapping[str, str], kind: Kind, end: float, count: int) -> np.ndarray:
    said = told(code, kind, end, count)
    by_month = np.full((count, len(MONTH_ENDS)), np.nan)
    by_month[:, np.asarray(said.months, dtype=int) - 1] = said.status
    return by_month


def evaluations(
    departments: int, by_month: np.ndarray, frozen: date | None = None
) -> Iterator[tuple[date, pl.DataFrame]]:
    """The verdicts of every day of three years; from `frozen` on no figure comes any more."""
    day, last = FIRST, date(FIRST.year + YEARS, 1, 1)
    shown: tuple[int, pl.DataFrame] | None = None
    while day < last:
        month = sum(end + _REPORTED <= day for end in MONTH_ENDS) - 1
        if frozen is not None and day >= frozen:
            month = -1
        if shown is None or shown[0] != month:
            shown = month, verdicts(departments, by_month, month)
        yield day, shown[1]
        day += timedelta(days=1)


def verdicts(departments: int, by_month: np.ndarray, month: int) -> pl.DataFrame:
    """The verdicts on what is known of a month; month −1 is that of data that stopped."""
    rows = []
    for number, ranks in enumerate(by_month):
        rank = ranks[month]
        status = "stale" if month < 0 else "no_data" if np.isnan(rank) else STATUSES.get(int(rank), "no_data")
        rows.append(row(f"p{number:03}", f"afdeling {number % departments}", status, is_binding=number % 2 == 0))
    return pl.DataFrame(rows, infer_schema_length=None)


def row(target: str, department: str, status: str, *, is_binding: bool) -> dict[str, Any]:
    """One verdict."""
    return {
        "target_id": target,
        "story_id": target,
        "department_id": department,
        "data_owner_department_id": department,
        "status": status,
        "is_first_of_story": True,
        "is_alarm": status == "behind",
        "attention_nl": "Let op." if status == "at_risk" else None,
        "is_binding": is_binding,
        "gap": -9.0 if status == "behind" else 0.0,
        "target_value": 100.0,
        "baseline_value": 0.0,
        "required_value": 50.0,
        "ref_date": None,
        "target_date": None,
        "months_behind": 3.0 if status == "behind" else 0.0,
    }


def three_years(days: Iterator[tuple[date, pl.DataFrame]], at: Sequence[int] = (3, 8, 20), city: City = CITY) -> Inbox:
    """What departments get when what is judged is looked at every day, at these hours of the day (UTC)."""
    inbox = Inbox()
    for day, rows in days:
        departments = sorted(set(rows["department_id"]))
        for hour in at:
            now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            windows = inbox.windows(departments, now, city)
            known = Knowledge(inbox.alerts.values(), {}, city.time_zone)
            decided = Evaluation(rows, known, {}, (), windows.__getitem__).decided()
            inbox.take(decided, windows, now)
    return inbox


def still_open(inbox: Inbox) -> set[tuple[str, str]]:
    """The targets of which a department was told a fault and no end of it."""
    return {(who, target) for (who, target, _), alert in inbox.alerts.items() if alert.level != Level.FINE}


def main() -> int:
    """Prints what five hundred programmes bring to twenty heads of department."""
    departments, count = 20, 500
    with tempfile.TemporaryDirectory() as folder:
        by_month = statuses(compiled(Path(folder)), count)
    inbox = three_years(evaluations(departments, by_month))
    by_head = Counter(each.department_id for each in inbox.messages)
    urgent = Counter(each.department_id for each in inbox.messages if each.is_urgent)
    window = by_month[:, _FROM : _FROM + 12 * YEARS]
    failing = Counter(number % departments for number, months in enumerate(window) for rank in months if rank == 0)
    console = Console()
    console.print(f"{count} programmes, {departments} departments, {YEARS} years of days")
    for name, counted in (("messages", by_head), ("of which urgent", urgent), ("one alert per failure", failing)):
        a_year = sorted(counted[key] / YEARS for key in counted)
        console.print(
            f"{name:24} a head and year: median {np.median(a_year):6.1f}, p90 {np.quantile(a_year, 0.9):6.1f}"
        )
    reasons = Counter(reason for message in inbox.messages for _, reason in message.lines)
    console.print("lines:", ", ".join(f"{reason} {number}" for reason, number in reasons.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
