"""What went wrong since yesterday, for the data team: plain text, in English, on one screen.

Belongs here: the words and the room they get. Does not belong here: finding what went wrong (`loop.messages`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from textwrap import wrap
from typing import NamedTuple

from orchestration.alerts.digest import KEY_HEADER, UNFOLDED

DATA_TEAM = "data_team"
"""The name under which the data team stands in the outbox, beside the departments."""

_WIDTH = 76
# a terminal has 24 lines: four titles, a blank line below each, the last line, and these
_LINES = 14
_SYNTHETIC = "SYNTHETIC DATA (demo)"


class Found(NamedTuple):
    """What went wrong, by what it is: one line each, newest first.

    Attributes:
        failed_runs: runs that failed since the last mail.
        refused: files, deliveries and pulls that were refused and still are.
        silent: sources that were heard longer ago than their contract allows.
        waiting: messages that could not leave.
        clocks: moments that cannot follow each other.
        held: the build that was withdrawn, while publishing waits for a person.
    """

    failed_runs: Sequence[str] = ()
    refused: Sequence[str] = ()
    silent: Sequence[str] = ()
    waiting: Sequence[str] = ()
    clocks: Sequence[str] = ()
    held: Sequence[str] = ()

    @property
    def sections(self) -> Mapping[str, Sequence[str]]:
        """Only what there is, under its title."""
        titles = {
            _count(self.failed_runs, "failed run"): self.failed_runs,
            _count(self.refused, "refused delivery", "refused deliveries"): self.refused,
            _count(self.silent, "silent source"): self.silent,
            _count(self.waiting, "message that could not leave", "messages that could not leave"): self.waiting,
            _count(self.clocks, "wrong clock"): self.clocks,
            _count(self.held, "withdrawn build"): self.held,
        }
        return {title: lines for title, lines in titles.items() if lines}


def _count(lines: Sequence[str], one: str, more: str | None = None) -> str:
    return f"{len(lines)} {one if len(lines) == 1 else more or f'{one}s'}"


def key_of(city: str, day: date) -> str:
    """One mail a day: the same key is the same mail."""
    return f"{city}:{DATA_TEAM}:{day.isoformat()}"


def report(  # noqa: PLR0913, PLR0917 - a mail needs its content, both ends and its label
    found: Found, city: str, day: date, at: datetime, sender: str, recipient: str, *, is_synthetic: bool
) -> EmailMessage:
    """The mail of one day.

    Args:
        found: what went wrong; something of it.
        city: name of the city profile.
        day: its city date.
        at: the moment it is written.
        sender: address with or without a name.
        recipient: address of the data team.
        is_synthetic: label it as made-up data.
    """
    mail = EmailMessage(policy=SMTP)
    said = f"Ademruimte {city}: {', '.join(found.sections)}"
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = f"{_SYNTHETIC}: {said}" if is_synthetic else said
    mail["Date"] = at
    mail["Message-ID"] = f"<{DATA_TEAM}.{city}.{day.isoformat()}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[KEY_HEADER] = key_of(city, day)
    mail.set_content("\n".join(_lines(found)) + "\n", cte="quoted-printable")
    mail.policy = UNFOLDED
    return mail


def _lines(found: Found) -> list[str]:
    """Every section in an equal share of the screen; the fewer lines there are, the more of each is told."""
    room = _LINES // len(found.sections)
    written: list[str] = []
    for title, lines in found.sections.items():
        shown = lines[: room if len(lines) <= room else room - 1]
        written += [title]
        for line in shown:
            written += wrap(
                line,
                _WIDTH,
                initial_indent="  ",
                subsequent_indent="    ",
                max_lines=max(1, room // len(lines)),
                placeholder=" ...",
            )
        if len(shown) < len(lines):
            written += [f"  and {len(lines) - len(shown)} more"]
        written += [""]
    return [*written, "Where to look: `ademruimte dev`, `ademruimte status`"]
