"""From the published build, and from what went wrong, to the outbox; and from the outbox to people.

Nothing here stands in the way of a build: a message that cannot be made or sent is noted, told to the data team, and
tried again.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from ingestion.door import without_identifiers
from orchestration.alerts import outbox
from orchestration.alerts.channels import Channel, EmlFolder, Smtp
from orchestration.alerts.data_team import DATA_TEAM, Found, key_of, report
from orchestration.alerts.digest import Digest, digests, message, message_key
from orchestration.alerts.recipients import RecipientFileError, Recipients, address_of, is_deliverable, recipients
from orchestration.loop.changes import FORMER, METHOD_CHANGED
from orchestration.loop.verdicts import said_so_far
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.published.parquet import read_table
from warehouse.published.pointer import current
from warehouse.state import Hold, OutboxMessage, RunFailure, State
from warehouse.withdrawals import standing

if TYPE_CHECKING:
    from datetime import date
    from email.message import EmailMessage

_log = logging.getLogger("ademruimte.messages")
_TRY_AGAIN = timedelta(minutes=5)
_LONGEST_REASON = 1000
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
        # the files that no reader can lock
        read = partial(read_table, self.settings.layout.published, self.build_id)
        as_of: date = read("marts.dim_build")["as_of_date"].item()
        verdicts = read("verdicts.fct_target_verdicts")
        # a build that an earlier version published was told by that version
        if "is_alarm" not in verdicts.columns:
            return 0
        with State(self.settings.layout.state) as state:
            found = digests(
                verdicts,
                read("marts.dim_department"),
                self.build_id,
                as_of,
                self._rejudged(state),
            )
            # before anything is drawn: a week was mostly told already
            fresh = [each for each in found if self._key(each) not in state.enqueued(each.department_id)]
            return outbox.fill(state, self._written(fresh)) if fresh else 0

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
        observations = read_table(self.settings.layout.published, self.build_id, "marts.fct_kpi_observations")
        known = _recipients(self.settings, fresh[0].as_of)
        for digest in fresh:
            try:
                yield (
                    digest,
                    message(
                        digest,
                        observations,
                        sender=self.settings.sender,
                        recipient=_written_for(known, digest.department_id),
                        city_title=self.settings.city.title_nl,
                        is_synthetic=self.settings.layout.is_synthetic,
                    ),
                )
            # one message's fault is its own
            except Exception as fault:  # noqa: BLE001
                _note(self.settings, f"message {self._key(digest)}", fault, self.now)


def send(settings: Settings, now: datetime) -> outbox.SendResult:
    """Delivers what the outbox holds: into a folder, or by SMTP when one is configured.

    Raises:
        OutboxHeldError: nobody released it yet.
    """
    with State(settings.layout.state) as state:
        hold = state.outbox_hold()
        if hold is not None:
            raise OutboxHeldError(hold)
        return outbox.send(state, _channel(settings, settings.as_of(now)), now)


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
        before = state.enqueued(DATA_TEAM)
        if key in before:
            return 0
        found = _found(settings, state, now, max(before.values(), default=None))
        if not found.sections:
            return 0
        mail = report(
            found,
            settings.city.name,
            day,
            now,
            settings.sender,
            _written_for(_recipients(settings, day), DATA_TEAM),
            is_synthetic=settings.layout.is_synthetic,
        )
        said = str(mail["Subject"]), mail.as_bytes()
        return state.enqueue([OutboxMessage(key, DATA_TEAM, day.isoformat(), "", *said, created_at=now)])


def _found(settings: Settings, state: State, now: datetime, since: datetime | None) -> Found:
    """What there is to tell; of what happened only what happened since the last mail."""
    told = [each.reason for each in state.refused_pulls()] + [each.reason for each in state.refusals()]
    whole = [
        f"{each.source}: {each.origin}: every row was refused (batch {each.batch_id})"
        for each in Lake(settings.layout.lake).refused_whole()
        if (since is None or each.committed_at > since) and not any(each.batch_id in reason for reason in told)
    ]
    return Found(
        failed_runs=[
            f"{each.failed_at:%Y-%m-%d %H:%M} UTC {each.job}: {each.reason}"
            for each in state.failures(since)
            # the run of a landing fails for the refusals that stand below
            if not any(reason in each.reason for reason in told)
        ],
        refused=[*told, *whole],
        silent=list(_silent(settings, state, now)),
        waiting=[
            f"{each.message_key}: {each.last_error}"
            for each in state.unsent()
            if each.last_error and each.department_id != DATA_TEAM
        ],
        clocks=list(_jumps(Lake(settings.layout.lake), now)),
        held=[held.told] if (held := standing(settings.layout.decisions)) else [],
    )


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


def _written_for(known: Recipients, department_id: str) -> str:
    """The address on the message; one that is not known yet is looked up again when it leaves."""
    try:
        return known.address(department_id)
    except RecipientFileError:
        return known.placeholder(department_id)


@dataclass(frozen=True, slots=True)
class _Post:
    """The mail server; the folder for a data team that has no address."""

    smtp: Smtp
    folder: EmlFolder
    known: Recipients

    def deliver(self, row: OutboxMessage) -> None:
        is_for_nobody = row.department_id == DATA_TEAM and not is_deliverable(_written_for(self.known, DATA_TEAM))
        (self.folder if is_for_nobody else self.smtp).deliver(row)


def _channel(settings: Settings, today: "date") -> Channel:
    folder = EmlFolder(settings.layout.mail)
    known = _recipients(settings, today)
    for fault in known.told:
        _log.warning("%s", fault)
    if settings.smtp_host is None:
        return folder
    smtp = Smtp(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_username,
        settings.smtp_password,
        starttls=settings.smtp_starttls,
        recipients=known,
    )
    return _Post(smtp, folder, known)


def _recipients(settings: Settings, day: "date") -> Recipients:
    """Who reads on a day: the file of the departments, and the setting of the data team."""
    known = recipients(settings.recipients, settings.city.name, day)
    if settings.data_team is None:
        return known.with_reader(DATA_TEAM, None)
    try:
        return known.with_reader(DATA_TEAM, address_of(settings.data_team, "ADEMRUIMTE_DATA_TEAM"))
    except RecipientFileError:
        _log.warning("ADEMRUIMTE_DATA_TEAM is no plain mail address; its mail goes into %s", settings.layout.mail)
        return known.with_reader(DATA_TEAM, None)
