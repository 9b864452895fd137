"""What there is to know of one target, as labels with words: a mail in either form and a card tell the same."""

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from orchestration.alerts import wording

if TYPE_CHECKING:
    from orchestration.alerts.digest import Line

_UNKNOWN = "onbekend"
_LATE = ("behind", "overdue")
BUTTON = "Bekijk dit doel en antwoord"


class Fact(NamedTuple):
    """A label, and what it says; `is_short` for a figure, which may stand in a tile."""

    label: str
    words: str
    is_short: bool = False


def facts(line: "Line", as_of: date) -> list[Fact]:
    """Of a target that is late: its figures, and then what one can act on.

    Args:
        line: the target.
        as_of: the city date of the build.
    """
    return [*_figures(line, as_of), *_goal(line), *_needed(line), *about(line), *_open(line)]


def about(line: "Line") -> list[Fact]:
    """What is told of every target that is not in order: what holds it back, and what its department answered."""
    doubt = f"Uw afdeling zei op {wording.day(line.doubted_on)} dat dit niet klopt. Dat wordt nagekeken."
    answered = [("Plan", line.plan_nl), ("Klopt niet", doubt if line.doubted_on else None)]
    return [*_why(line), *(Fact(label, words) for label, words in answered if words)]


def _why(line: "Line") -> list[Fact]:
    if line.drivers_nl and line.status in (*_LATE, "at_risk"):
        return [Fact("Waardoor", line.drivers_nl)]
    return [Fact("Waardoor", "Dat zeggen de cijfers niet.")] if line.status in _LATE else []


def _figures(line: "Line", as_of: date) -> list[Fact]:
    stands = (f"Stand op {wording.day(line.ref_date)}", line.value_nl)
    if line.is_due:
        told = [stands, (f"Moest er zijn op {wording.day(line.target_date)}", line.target_nl)]
    else:
        told = [
            stands,
            ("Het pad vroeg toen", line.required_nl),
            ("Verschil toen", line.gap_nl),
            (f"Het pad vraagt op {wording.day(as_of)}", line.required_today_nl),
        ]
    return [Fact(label, words or _UNKNOWN, is_short=True) for label, words in told]


def _goal(line: "Line") -> list[Fact]:
    if line.is_due:
        return []
    until = f" tegen {wording.day(line.target_date)}" if line.target_date else ", zonder einddatum"
    return [Fact("Doel", f"{line.target_nl or _UNKNOWN}{until}")]


def _needed(line: "Line") -> list[Fact]:
    if not line.needed_nl:
        return []
    # its label stands beside it
    words = line.needed_nl.removeprefix("Nodig: ").removeprefix("Nodig ")
    return [Fact("Wat nodig is", wording.sentence(words))]


def _open(line: "Line") -> list[Fact]:
    asked = [Fact("Betwist", line.attention_nl)] if line.is_disputed and line.attention_nl else []
    beside = [Fact("Op hetzelfde cijfer rust ook", f"{line.story_nl}.")] if line.story_nl else []
    return [*asked, *beside, *([Fact("Goed om te weten", line.remark_nl)] if line.remark_nl else [])]
