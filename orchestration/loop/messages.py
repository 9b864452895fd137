"""From the published build, and from what went wrong, to the outbox; and from the outbox to people.

Nothing here stands in the way of a build: a message that cannot be made or sent is noted, told to the data team, and
tried again.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from ingestion.door import without_identifiers
from orchestration.alerts import outbox
from orchestration.alerts.card import card
from orchestration.alerts.data_team import DATA_TEAM, Wrong, is_of_a_day, key_of, report
from orchestration.alerts.decisions import TOLD, Found
from orchestration.alerts.digest import Digest, digests, message, message_key
from orchestration.alerts.teams import TEAMS, webhooks
from orchestration.loop.changes import FORMER, METHOD_CHANGED
from orchestration.loop.fallback import Fallback, to_data_team
from orchestration.loop.locks import one_sender
from orchestration.loop.verdicts import said_so_far
from orchestration.loop.ways import recipients_on, ways_of, written_for
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.published.parquet import read_table
from warehouse.published.pointer import current
from warehouse.state import Alert, Hold, OutboxMessage, RunFailure, State
from warehouse.withdrawals import standing

if TYPE_CHECKING:
    from datetime import date
    from email.message import EmailMessage

_log = logging.getLogger("ademruimte.messages")
_TRY_AGAIN = timedelta(minutes=5)
_LONGEST_REASON = 1000
_A_DAY = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(minutes=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class OutboxHeldError(RuntimeError):
    """No message may leave until a person releases the outbox."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(
            f"the outbox is held since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.reason}. Look at what waits with "
            "`ademruimte outbox list`, then let it go with `ademruimte outbox release`"
        )


def fill_outbox(settings: Settings, now: datetime) -> int:
    """One digest per department and week that has a target behind, from the build readers see.

    What cannot be made now is noted as a failed run and made at the next call: it is no reason to stop a build.

    Returns:
        How many messages are new.
    """
    build_id = current(settings.layout.published)
    if build_id is None:
        return 0
    try:
        return _Filling(settings, build_id, now).fill()
    # a template, a chart, a file that a reader damaged: whatever it is, the build stands
    except Exception as fault:  # noqa: BLE001
        _note(settings, f"outbox of build {build_id}", fault, now)
        return 0


@dataclass(frozen=True, slots=True)
class _Filling:
    """The messages of one published build on their way into the outbox."""

    settings: Settings
    build_id: str
    now: datetime

    def fill(self) -> int:
        with State(self.settings.layout.state) as state:
            found = self.found(state, self._read("marts.dim_build")["as_of_date"].item())
            # before anything is drawn: a week was mostly told already
            written = list(self._written([each for each in found.digests if each.department_id not in found.known]))
            fresh = {digest.department_id: self._key(digest) for digest, _ in written}
            decided = found.decided(fresh, self.build_id, self.now)
            if state.has_decided(self.build_id):
                # a build that is asked again decides nothing else, but for what could not be made the first time
                decided = (each for each in decided if each.outcome == TOLD)
            return outbox.fill(state, written, self._cards(digest for digest, _ in written), decided)

    def found(self, state: State, as_of: "date") -> Found:
        """What this build has to tell on a day, and what of it was told."""
        verdicts = self._read("verdicts.fct_target_verdicts")
        # a build that an earlier version published was told by that version
        if "is_alarm" not in verdicts.columns:
            return Found(verdicts.clear(), (), {})
        told = digests(verdicts, self._read("marts.dim_department"), self.build_id, as_of, self._rejudged(state))
        known = {each.department_id: self._key(each) for each in told if self._is_known(state, each)}
        return Found(verdicts, told, known)

    def _read(self, table: str) -> pl.DataFrame:
        # the files that no reader can lock
        return read_table(self.settings.layout.published, self.build_id, table)

    def _is_known(self, state: State, digest: Digest) -> bool:
        return self._key(digest) in state.enqueued(digest.department_id)

    def _cards(self, fresh: Iterable[Digest]) -> Iterator[OutboxMessage]:
        """The same on a card, for the departments that have a flow in Teams."""
        known = webhooks(self.settings.teams).known
        for digest in fresh:
            if digest.department_id in known:
                content = card(digest, self.settings.city.title_nl, is_synthetic=self.settings.layout.is_synthetic)
                key, made = f"{self._key(digest)}:{TEAMS}", self.now
                said = digest.department_id, digest.period, self.build_id, digest.heading
                yield OutboxMessage(key, *said, content, made, channel=TEAMS)

    def _rejudged(self, state: State) -> dict[str, str | None]:
        """By target what was said before another method or definition changed it, where its department was not told."""
        lake = Lake(self.settings.layout.lake)
        last = said_so_far(lake, self.settings.layout.last_said)
        # a log of before there were versions
        if METHOD_CHANGED not in last.columns:
            return {}
        changed = last.filter(pl.col(METHOD_CHANGED)).select("target_id", "department_id", "build_id", FORMER)
        return {
            target_id: former
            for target_id, department_id, build_id, former in changed.iter_rows()
            if lake.decision(build_id).committed_at > max(state.enqueued(department_id).values(), default=_LONG_AGO)
        }

    def _key(self, digest: Digest) -> str:
        return message_key(digest, self.settings.city.title_nl)

    def _written(self, fresh: list[Digest]) -> Iterator[tuple[Digest, "EmailMessage"]]:
        if not fresh:
            return
        observations = self._read("marts.fct_kpi_observations")
        known = recipients_on(self.settings, fresh[0].as_of)
        for digest in fresh:
            try:
                yield (
                    digest,
                    message(
                        digest,
                        observations,
                        sender=self.settings.sender,
                        recipient=written_for(known, digest.department_id),
                        city_title=self.settings.city.title_nl,
                        is_synthetic=self.settings.layout.is_synthetic,
                    ),
                )
            # one message's fault is its own
            except Exception as fault:  # noqa: BLE001
                _note(self.settings, f"message {self._key(digest)}", fault, self.now)


class Preview(NamedTuple):
    """What the next morning brings as things stand: the headings of the messages, and why the rest is silent."""

    headings: Mapping[str, str]
    alerts: Sequence[Alert]
    titles: Mapping[str, str]


def preview(settings: Settings, now: datetime) -> Preview | None:
    """What would be told tomorrow by the build that readers see; nothing is written. None where there is no build."""
    build_id = current(settings.layout.published)
    if build_id is None:
        return None
    filling = _Filling(settings, build_id, now)
    with State(settings.layout.state) as state:
        found = filling.found(state, settings.as_of(now) + _A_DAY)
    headings = {each.department_id: each.heading for each in found.digests if each.department_id not in found.known}
    titles = dict(found.verdicts.select("target_id", "title_nl").iter_rows())
    return Preview(headings, list(found.decided(dict.fromkeys(headings, ""), build_id, now)), titles)


def send(settings: Settings, now: datetime) -> outbox.SendResult:
    """Delivers what the outbox holds: into a folder, by SMTP when one is configured, and to the flows in Teams.

    Raises:
        OutboxHeldError: nobody released it yet.
    """
    # two senders at once would deliver the same message twice
    with one_sender(settings), State(settings.layout.state) as state:
        hold = state.outbox_hold()
        if hold is not None:
            raise OutboxHeldError(hold)
        ways = ways_of(settings, settings.as_of(now))
        return outbox.send(state, ways, now, Fallback(settings, state, ways, now))


def unsent(settings: Settings) -> list[OutboxMessage]:
    """The messages that nobody has yet, each with why its last try failed."""
    with State(settings.layout.state) as state:
        return state.unsent()


def outbox_hold(settings: Settings) -> Hold | None:
    """Why and since when no message leaves; None when the outbox is open."""
    if not settings.layout.state.exists():
        return None
    with State(settings.layout.state) as state:
        return state.outbox_hold()


def waiting_messages(settings: Settings, now: datetime) -> int:
    """How many messages should be tried now: those that are new, or were last tried five minutes ago.

    One look-up in an index, cheap enough for a sensor.
    """
    if not settings.layout.state.exists():
        return 0
    with State(settings.layout.state) as state:
        return state.waiting(tried_before=now - _TRY_AGAIN)


def note_run_failure(settings: Settings, job: str, run_id: str, reason: str, at: datetime) -> None:
    """Keeps why a run failed for the next mail to the data team; a run is noted once."""
    settings.layout.create()
    with State(settings.layout.state) as state:
        state.note_failure(RunFailure(run_id, job, without_identifiers(reason[:_LONGEST_REASON]), at))


def fill_data_team(settings: Settings, now: datetime) -> int:
    """Puts the day's mail to the data team in the outbox, when there is something to say and there is none of today.

    Returns:
        1 when a mail is new, else 0.
    """
    settings.layout.create()
    day = now.astimezone(ZoneInfo(settings.city.time_zone)).date()
    key = key_of(settings.city.name, day)
    with State(settings.layout.state) as state:
        before = {known: at for known, at in state.enqueued(DATA_TEAM).items() if is_of_a_day(known)}
        if key in before:
            return 0
        found = _found(settings, state, now, max(before.values(), default=None))
        if not found.sections:
            return 0
        mail = report(found, day, to_data_team(settings, now))
        said = str(mail["Subject"]), mail.as_bytes()
        return state.enqueue([OutboxMessage(key, DATA_TEAM, day.isoformat(), "", *said, created_at=now)])


def _found(settings: Settings, state: State, now: datetime, since: datetime | None) -> Wrong:
    """What there is to tell; of what happened only what happened since the last mail."""
    told = [each.reason for each in state.refused_pulls()] + [each.reason for each in state.refusals()]
    whole = [
        f"{each.source}: {each.origin}: every row was refused (batch {each.batch_id})"
        for each in Lake(settings.layout.lake).refused_whole()
        if (since is None or each.committed_at > since) and not any(each.batch_id in reason for reason in told)
    ]
    return Wrong(
        failed_runs=[
            f"{each.failed_at:%Y-%m-%d %H:%M} UTC {each.job}: {each.reason}"
            for each in state.failures(since)
            # the run of a landing fails for the refusals that stand below
            if not any(reason in each.reason for reason in told)
        ],
        refused=[*told, *whole],
        silent=list(_silent(settings, state, now)),
        waiting=list(_waiting(state)),
        webhooks=webhooks(settings.teams).faults,
        clocks=list(_jumps(Lake(settings.layout.lake), now)),
        held=[held.told] if (held := standing(settings.layout.decisions)) else [],
    )


def _waiting(state: State) -> Iterator[str]:
    """Lines that deliver nothing and how many wait for each, messages with a fault of their own, and dead letters."""
    broken, waiting = state.broken_lines(), state.unsent()
    for line in broken:
        count = sum(each.line == line.line for each in waiting)
        yield f"{line.line}: nothing left since {line.since:%Y-%m-%d %H:%M} UTC, {count} wait: {line.reason}"
    lines = {line.line for line in broken}
    for each in waiting:
        if each.last_error and each.department_id != DATA_TEAM and each.line not in lines:
            yield f"{each.message_key}: {each.last_error}"
    for each in state.dead_letters():
        yield f"{each.message_key}: given up, see `ademruimte outbox list`: {each.last_error}"


def _jumps(lake: Lake, now: datetime) -> Iterator[str]:
    """Where the clock of the newest build cannot be right, beside ours and beside that of the build before it."""
    newest = [lake.decision(build_id) for build_id in lake.build_ids()[-2:]]
    moments = [(f"build {each.build_id}", each.committed_at) for each in newest] + [("now", now)]
    for (before, then), (after, later) in pairwise(moments):
        if later < then - _CLOCKS_DIFFER:
            said = f"{then:%Y-%m-%d %H:%M} UTC, and {after} came after it at {later:%Y-%m-%d %H:%M} UTC"
            yield f"{before} was made at {said}: set the clock of its machine right; nothing was lost"


def _silent(settings: Settings, state: State, now: datetime) -> Iterator[str]:
    """The sources that were heard once, and not lately enough for their contract."""
    contracts = settings.contracts()
    for heard in state.progress():
        contract = contracts.get(heard.source)
        if contract is not None and now - heard.last_asked_at > contract.fresh_within:
            yield f"{heard.source}: last heard on {heard.last_asked_at:%Y-%m-%d %H:%M} UTC"


def _note(settings: Settings, what: str, fault: Exception, now: datetime) -> None:
    reason = f"{type(fault).__name__}: {fault}"
    _log.warning("%s was not made, and is tried again at the next build: %s", what, without_identifiers(reason))
    # where not even that can be noted, the log has said it
    with suppress(OSError, sqlite3.Error):
        note_run_failure(settings, "outbox", what, reason, now)
