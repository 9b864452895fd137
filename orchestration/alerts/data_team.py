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
_UNDELIVERED = ":undelivered:"


class Wrong(NamedTuple):
    """What went wrong, by what it is: one line each, newest first.

    Attributes:
        failed_runs: runs that failed since the last mail.
        refused: files, deliveries and pulls that were refused and still are.
        silent: sources that were heard longer ago than their contract allows.
        waiting: messages that could not leave.
        webhooks: lines of the file with webhooks that cannot be used.
        clocks: moments that cannot follow each other.
        held: the build that was withdrawn, while publishing waits for a person.
    """

    failed_runs: Sequence[str] = ()
    refused: Sequence[str] = ()
    silent: Sequence[str] = ()
    waiting: Sequence[str] = ()
    webhooks: Sequence[str] = ()
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
            _count(self.webhooks, "wrong webhook"): self.webhooks,
            _count(self.clocks, "wrong clock"): self.clocks,
            _count(self.held, "withdrawn build"): self.held,
        }
        return {title: lines for title, lines in titles.items() if lines}


def _count(lines: Sequence[str], one: str, more: str | None = None) -> str:
    return f"{len(lines)} {one if len(lines) == 1 else more or f'{one}s'}"


def key_of(city: str, day: date) -> str:
    """One mail a day: the same key is the same mail."""
    return f"{city}:{DATA_TEAM}:{day.isoformat()}"


def is_of_a_day(message_key: str) -> bool:
    """Whether a message to the data team is the mail of a day, and not one of what could not be delivered."""
    return _UNDELIVERED not in message_key


class Writing(NamedTuple):
    """From whom to whom a mail goes, when, and about which city."""

    city: str
    at: datetime
    sender: str
    recipient: str
    is_synthetic: bool


def report(found: Wrong, day: date, writing: Writing) -> EmailMessage:
    """The mail of one day, on something that went wrong."""
    return _mail(key_of(writing.city, day), ", ".join(found.sections), _lines(found), writing)


def undelivered_key(city: str, lost: str, at: datetime) -> str:
    """What is lost is told once each time that it is."""
    return f"{city}:{DATA_TEAM}{_UNDELIVERED}{lost}:{at:%Y%m%dT%H%M%S%f}"


def undelivered(
    key: str, subject: str, lines: Sequence[str], letters: Mapping[str, bytes], writing: Writing
) -> EmailMessage:
    """What does not arrive and why; the letters themselves go along, so that somebody can pass them on.

    Args:
        key: of this mail.
        subject: what it is about.
        lines: what it says, one paragraph each.
        letters: the messages by file name.
        writing: from whom to whom.
    """
    folded = [part for line in lines for part in [*wrap(line, _WIDTH), ""]]
    mail = _mail(key, subject, folded[:-1], writing)
    mail.policy = SMTP
    for name, letter in letters.items():
        mail.add_attachment(letter, "application", "octet-stream", filename=name)
    mail.policy = UNFOLDED
    return mail


def proof_words(department: str, at: datetime) -> tuple[str, list[str]]:
    """Subject and text of a message that only proves that it arrives, in the language of its reader."""
    if department == DATA_TEAM:
        asked = "sent by `ademruimte alerts test-send`. Nothing is asked of you."
        return "test", [f"This is a test of {at:%Y-%m-%d %H:%M} UTC,", asked]
    return "test", [f"Dit is een test van {at:%d/%m/%Y}.", "U hoeft niets te doen."]


def proof(key: str, department: str, writing: Writing) -> EmailMessage:
    """A mail that only proves that it arrives."""
    return _mail(key, *proof_words(department, writing.at), writing)


def _mail(key: str, subject: str, lines: Sequence[str], writing: Writing) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    said = f"Ademruimte {writing.city}: {subject}"
    mail["From"], mail["To"] = writing.sender, writing.recipient
    mail["Subject"] = f"{_SYNTHETIC}: {said}" if writing.is_synthetic else said
    mail["Date"] = writing.at
    mail["Message-ID"] = f"<{_identifier(key)}@{parseaddr(writing.sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[KEY_HEADER] = key
    mail.set_content("\n".join(lines) + "\n", cte="quoted-printable")
    mail.policy = UNFOLDED
    return mail


def _identifier(key: str) -> str:
    city, whom, *what = key.split(":")
    return ".".join((whom, city, *what))


def _lines(found: Wrong) -> list[str]:
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
