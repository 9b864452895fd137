"""From the outbox to people, and from what went wrong to the data team.

A message that cannot be sent is noted, told to the data team, and tried again. What departments are told is decided
in `telling`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from orchestration.alerts import hours, outbox
from orchestration.alerts.data_team import DATA_TEAM, Wrong, is_of_a_day, key_of, report
from orchestration.alerts.teams import webhooks
from orchestration.loop.fallback import Fallback, to_data_team
from orchestration.loop.locks import one_sender
from orchestration.loop.ways import ways_of
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.state import Hold, OutboxMessage, State
from warehouse.withdrawals import standing

_TRY_AGAIN = timedelta(minutes=5)
_CLOCKS_DIFFER = timedelta(minutes=1)


class OutboxHeldError(RuntimeError):
    """No message may leave until a person releases the outbox."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(
            f"the outbox is held since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.reason}. Look at what waits with "
            "`ademruimte outbox list`, then let it go with `ademruimte outbox release`"
        )


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
        return outbox.send(state, ways, now, Fallback(settings, state, ways, now), _may_leave(settings, now))


def unsent(settings: Settings, now: datetime) -> list[OutboxMessage]:
    """The messages that nobody has yet and that may leave now, each with why its last try failed."""
    with State(settings.layout.state) as state:
        return list(filter(_may_leave(settings, now), state.unsent()))


def held_until(settings: Settings, now: datetime) -> datetime | None:
    """When departments are written to again; None while they may be, and where no message waits for them."""
    with State(settings.layout.state) as state:
        waits = any(row.department_id != DATA_TEAM for row in state.unsent())
    return hours.next_opening(settings.city, now) if waits and not _is_open(settings, now) else None


def _may_leave(settings: Settings, now: datetime) -> Callable[[OutboxMessage], bool]:
    """Departments are written to in working hours, also when a server takes their mail again in the night."""
    is_open = _is_open(settings, now)
    return lambda row: is_open or row.department_id == DATA_TEAM


def _is_open(settings: Settings, now: datetime) -> bool:
    return hours.is_open(settings.city, hours.moment_of(settings.city, settings.fixed_as_of, now))


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
        only = None if _is_open(settings, now) else DATA_TEAM
        return state.waiting(tried_before=now - _TRY_AGAIN, department_id=only)


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
