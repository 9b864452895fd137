"""When a message does not arrive, the data team is told by a way that works.

Belongs here: the words, and the choice of the way. Does not belong here: when it is told (`alerts.outbox`).
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from orchestration.alerts.card import notice
from orchestration.alerts.data_team import DATA_TEAM, Writing, undelivered, undelivered_key
from orchestration.alerts.outbox import FOLDER, MAIL, Undelivered
from orchestration.alerts.teams import TEAMS
from orchestration.loop.ways import Ways, recipients_on, written_for
from orchestration.settings import Settings
from warehouse.state import OutboxMessage, State

_MOST_LETTERS = 5
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Fallback:
    """Tells the data team what does not arrive, by a way that works; the folder needs nobody."""

    settings: Settings
    state: State
    ways: Ways
    now: datetime

    def __call__(self, lost: Undelivered) -> OutboxMessage:
        """The notice, as it waits in the outbox."""
        settings, way = self.settings, self._way()
        what = lost.line if len(lost.rows) != 1 or not lost.is_given_up else lost.rows[0].message_key
        key = undelivered_key(settings.city.name, what, self.now)
        subject, lines = _told_of(lost)
        period = f"{self.now:%Y-%m-%d}-undelivered-{sha256(key.encode()).hexdigest()[:8]}"
        if way == TEAMS:
            content = notice(subject, lines, settings.city.title_nl, is_synthetic=settings.layout.is_synthetic)
        else:
            letters = {f"{row.period}-{row.department_id}.eml": row.message for row in _letters(lost)}
            content = undelivered(key, subject, lines, letters, to_data_team(settings, self.now)).as_bytes()
        return OutboxMessage(key, DATA_TEAM, period, "", subject, content, self.now, channel=way)

    def _way(self) -> str:
        broken = {each.line for each in self.state.broken_lines()}
        if self.ways.has_data_team and MAIL not in broken:
            return MAIL
        if DATA_TEAM in self.ways.teams.webhooks.known and f"{TEAMS}:{DATA_TEAM}" not in broken:
            return TEAMS
        return FOLDER


def _letters(lost: Undelivered) -> list[OutboxMessage]:
    """Those that go along: what a person can open, and no more than a mail may hold."""
    return [row for row in lost.rows if row.channel == MAIL][:_MOST_LETTERS]


def _told_of(lost: Undelivered) -> tuple[str, list[str]]:
    count = len(lost.rows)
    one_or_more = "1 message does" if count == 1 else f"{count} messages do"
    lines = [
        f"{one_or_more} not arrive, by {lost.line}, after three tries: {lost.reason}",
        *(f"{row.message_key}: {row.subject}" for row in lost.rows[:_MOST_NAMED]),
    ]
    if count > _MOST_NAMED:
        lines.append(f"and {count - _MOST_NAMED} more: `ademruimte outbox list`")
    lines.append(
        "It is tried no more. Once the cause is gone: `ademruimte outbox release KEY`; where it need not arrive: "
        "`ademruimte outbox close KEY REASON`."
        if lost.is_given_up
        else "Nothing is lost: all of it is tried again by itself, ever less often, up to every six hours. "
        "`ademruimte alerts test-send` tries the way at once, and `ademruimte send` sends."
    )
    return f"{one_or_more} not arrive ({lost.line})", lines


def to_data_team(settings: Settings, now: datetime) -> Writing:
    """From whom to whom a mail for the data team goes."""
    address = written_for(recipients_on(settings, settings.as_of(now)), DATA_TEAM)
    return Writing(settings.city.name, now, settings.sender, address, settings.layout.is_synthetic)
