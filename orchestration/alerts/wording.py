"""How a figure, a date, a unit and a status read in a Dutch (nl-BE) message."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from orchestration.dbt_project import SHARED
from warehouse.state import Plan

# a sign of percent or money, or of a unit: `kWh`, `MWp`, `m²`, `kg`
_BEFORE_SIGN = re.compile(r"(?<=\d) (?=%|€|[a-z]{0,2}[A-Z²³]|(?:kg|ton|ha|k?m)\b)")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A row of the dictionary of units, which the marts use too."""

    unit: str
    label_nl: str
    label_en: str
    one_nl: str


@cache
def _units() -> Mapping[str, _Unit]:
    with (SHARED / "unit_labels.csv").open(encoding="utf-8", newline="") as lines:
        return {row["unit"]: _Unit(**row) for row in csv.DictReader(lines)}


@cache
def _labels_en(seed: str, key: str) -> Mapping[str, str]:
    with (SHARED / f"{seed}.csv").open(encoding="utf-8", newline="") as lines:
        return {row[key]: row["label_en"] for row in csv.DictReader(lines)}


def status_en(status: str) -> str:
    """A status in English; one that is not known yet is left as it is."""
    return _labels_en("status_labels", "status").get(status, status)


def reason_en(reason: str) -> str:
    """Why something is told or not, in English; a reason that is not known yet is left as it is."""
    return _labels_en("alert_reason_labels", "reason").get(reason, reason)


def number(value: float | None) -> str:
    """A figure with a decimal comma, dots between thousands and a minus; decimals only where they say something."""
    if value is None:
        return "onbekend"
    decimals = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    whole, _, fraction = f"{value:,.{decimals}f}".partition(".")
    fraction = fraction.rstrip("0")
    return whole.replace(",", ".").replace("-", "−") + (f",{fraction}" if fraction else "")


def day(value: date | None) -> str:
    """A date as dd/mm/jjjj."""
    return f"{value:%d/%m/%Y}" if value else "onbekend"


def unit(registry_unit: str) -> str:
    """The registry's unit in Dutch; one that is not known yet is left as it is."""
    known = _units().get(registry_unit)
    return known.label_nl if known else registry_unit


def unit_en(registry_unit: str) -> str:
    """The registry's unit in plain English; one that is not known yet is left as it is."""
    known = _units().get(registry_unit)
    return known.label_en if known else registry_unit


def amount(value: float | None, registry_unit: str) -> str:
    """A figure and its unit: `1 vraag te laat`, `2 vragen te laat`."""
    text, known = number(value), _units().get(registry_unit)
    named = known.one_nl if known and text == "1" and known.one_nl else unit(registry_unit)
    return f"{text} {named}"


def figure(value: float | None, registry_unit: str) -> str:
    """A figure as it stands in a tile or a label: `klaar`, `−9,8 %`, `836`."""
    if registry_unit == "milestone 0/1" and value is not None:
        return "klaar" if value >= 1 else "nog niet klaar"
    return number(value) + (" %" if registry_unit.startswith("%") and value is not None else "")


def targets(count: int) -> str:
    """`1 doelstelling` or `2 doelstellingen`."""
    return f"{count} {'doelstelling' if count == 1 else 'doelstellingen'}"


def figures_asked(count: int) -> str:
    """`1 cijfer gevraagd` or `2 cijfers gevraagd`."""
    return f"{count} {'cijfer' if count == 1 else 'cijfers'} gevraagd"


def figures_came(count: int) -> str:
    """`1 cijfer ontvangen` or `2 cijfers ontvangen`."""
    return f"{count} {'cijfer' if count == 1 else 'cijfers'} ontvangen"


def iso_week(on: date) -> str:
    """The ISO week of a day, as `2026-W48`."""
    year, week, _ = on.isocalendar()
    return f"{year}-W{week:02d}"


def week_or_day(period: str) -> str:
    """`2026-W48` as `week 48`, `2026-11-24` as `24/11/2026`."""
    _, is_week, week = period.partition("-W")
    return f"week {int(week)}" if is_week else day(date.fromisoformat(period))


def plan(noted: Plan) -> str:
    """What a department means to do, who sees to it and until when."""
    return f"{sentence(noted.action)} ({noted.owner}, tegen {day(noted.due_date)})"


def sentence(words: str) -> str:
    """Words with a capital in front."""
    return words[:1].upper() + words[1:]


def unbroken(text: str) -> str:
    """Text in which no line ends between a figure and the sign of its unit."""
    return _BEFORE_SIGN.sub("\N{NO-BREAK SPACE}", text)
