"""What cannot be derived from the lake: progress, refusals, erasures, alerts and outbox, publications.

SQLite in WAL mode on a local disk; every statement is its own transaction, forced to disk, so that what a
caller was told survives a power cut. Times are kept as ISO 8601 text in UTC.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from warehouse.durable import telling_when_full
from warehouse.layout import NewerProfileError

_BUSY_SECONDS = 10
# what brings a state of each version to the next, each in one transaction; a new one is added, none is ever changed
_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # of before the state had a version: a state may hold all of it, some, or nothing yet
        "drop table if exists refusals",
        "drop table if exists refused_files",
        """create table if not exists source_progress (
        source text primary key, complete_until text, last_asked_at text not null)""",
        """create table if not exists refused_drops (
        source text, origin text, sha256 text, stamp text not null, rules text not null, reason text not null,
        refused_at text not null, primary key (source, origin, sha256))""",
        """create table if not exists erasures (
        source text, batch_id text, erased_at text not null, primary key (source, batch_id))""",
        """create table if not exists outbox (
        message_key text primary key, department_id text not null, period text not null, build_id text not null,
        subject text not null, message blob not null, created_at text not null, sent_at text,
        attempts integer not null default 0, last_error text)""",
        "create table if not exists memories (source text primary key, content text not null)",
        """create table if not exists publications (
        build_id text, store text, published_at text not null, primary key (build_id, store))""",
    ),
    (
        "alter table outbox add column tried_at text",
        "create index outbox_unsent on outbox (created_at, message_key) where sent_at is null",
        """create table run_failures (
        run_id text primary key, job text not null, reason text not null, failed_at text not null)""",
        """create table refused_pulls (
        source text, origin text, reason text not null, refused_at text not null, primary key (source, origin))""",
    ),
    (
        # one row while it is held
        "create table outbox_hold (one integer primary key check (one = 1), reason text not null, since text not null)",
        # what was noted before rests on no batch that is known
        "alter table memories add column batch_id text",
        "alter table source_progress add column batch_id text",
    ),
    (
        "alter table outbox add column channel text not null default 'mail'",
        # tried no more; the data team was told; somebody decided that it need not arrive
        "alter table outbox add column dead_at text",
        "alter table outbox add column told_at text",
        "alter table outbox add column closed_at text",
        "create index outbox_dead on outbox (dead_at) where dead_at is not null",
        # one row per line that delivers nothing at present
        """create table broken_lines (
        line text primary key, failures integer not null, since text not null, reason text not null, told_at text)""",
        # what was decided of a target for a reader, as long as that stayed the same
        """create table alerts (
        alert_id integer primary key, department_id text not null, target_id text not null, status text not null,
        outcome text not null, reason text not null, message_key text, first_build_id text not null,
        first_at text not null, last_build_id text not null, last_at text not null, builds integer not null)""",
        "create index alerts_newest on alerts (department_id, target_id, alert_id)",
    ),
    (
        # what was told is compared with what is so: how it stood when it was told
        "alter table alerts add column topic text not null default 'judgement'",
        "alter table alerts add column level text",
        "alter table alerts add column points real",
        "alter table alerts add column months real",
        "alter table alerts add column until text",
        "update alerts set topic = 'figure' where reason = 'awaiting_figure'",
        """update alerts set level = case
        when reason = 'mentioned' or status = 'at_risk' then 'at_risk'
        when status in ('behind', 'overdue') then 'late' else 'fine' end
        where outcome = 'told' and topic = 'judgement'""",
        # the weeks of which a department's digest was decided, also where there was nothing to tell
        """create table digest_weeks (
        department_id text not null, period text not null, decided_at text not null,
        primary key (department_id, period))""",
    ),
    (
        # what heads answered; a row is never changed and never removed, whatever becomes of the message it answers
        """create table answers (
        answer_id integer primary key, target_id text not null, department_id text not null,
        kind text not null check (
            kind in ('seen', 'snooze', 'snooze_ended', 'plan', 'dispute', 'dispute_closed')
        ),
        reason text, until text, fact text, cause text, action text, owner text, due_date text,
        token_id text unique, given_at text not null, way text not null check (way in ('web', 'cli')))""",
        """create trigger answers_stay before update on answers
        begin select raise(abort, 'an answer is never changed'); end""",
        """create trigger answers_are_kept before delete on answers
        begin select raise(abort, 'an answer is never removed'); end""",
    ),
)
_ALERT: Final = """department_id, target_id, status, outcome, reason, message_key, first_build_id, first_at,
    last_build_id, last_at, builds, topic, level, points, months, until"""
VERSION: Final = len(_MIGRATIONS)
"""The version of the state that this program writes: `pragma user_version`."""


class Progress(NamedTuple):
    """Up to where a source speaks (None: nobody knows) and when it was last asked.

    `batch_id` names the batch without which the former says nothing.
    """

    source: str
    complete_until: datetime | None
    last_asked_at: datetime
    batch_id: str | None = None


class Memory(NamedTuple):
    """What the last pull of a source asked to be remembered, and the newest batch that it counts on."""

    content: dict[str, object]
    batch_id: str | None


class Refusal(NamedTuple):
    """A delivery that was refused whole, by which rules, and why.

    `stamp` is of the file that holds it: while that stays the same it need not be read to know its `sha256`.
    """

    source: str
    origin: str
    sha256: str
    stamp: str
    rules: str
    reason: str
    refused_at: datetime


class RunFailure(NamedTuple):
    """A run of a job that failed, and why."""

    run_id: str
    job: str
    reason: str
    failed_at: datetime


class RefusedPull(NamedTuple):
    """What the last pull of a source could not bring in: all of it, or the part that `origin` names."""

    source: str
    origin: str
    reason: str
    refused_at: datetime


class Erasure(NamedTuple):
    """A batch whose rows were erased: the tombstone that a restored backup is held against."""

    source: str
    batch_id: str
    erased_at: datetime


class Hold(NamedTuple):
    """Why no message leaves the outbox until a person releases it."""

    reason: str
    since: datetime


class BrokenLine(NamedTuple):
    """A line that delivers nothing at present: how many sendings in a row, since when, why, and who knows.

    `told_at` is when the data team was told by another way.
    """

    line: str
    failures: int
    since: datetime
    reason: str
    told_at: datetime | None


class Alert(NamedTuple):
    """What was decided of one target for one reader, by the builds in a row that decided the same.

    Attributes:
        department_id: whom it is for.
        outcome: `told`, `held` or `silent`.
        reason: why, as a word.
        message_key: the message that tells it.
        builds: how many decided the same.
        topic: what it is about: `judgement`, or `figure` of whoever supplies it.
        level: how its story stands: `fine`, `at_risk` or `late`; None where it says nothing of the story.
        points: distance to the path in percentage points of the way to go.
        months: how many months behind.
        until: the city date until which it is held or snoozed.
    """

    department_id: str
    target_id: str
    status: str
    outcome: str
    reason: str
    message_key: str | None
    first_build_id: str
    first_at: datetime
    last_build_id: str
    last_at: datetime
    builds: int = 1
    topic: str = "judgement"
    level: str | None = None
    points: float | None = None
    months: float | None = None
    until: date | None = None


class DigestWeek(NamedTuple):
    """A week of which a department's digest was decided, also where there was nothing to tell."""

    department_id: str
    period: str
    decided_at: datetime


class Plan(NamedTuple):
    """What a department means to do about a target.

    Attributes:
        owner: the role that sees to it; no name.
        due_date: when it should be done.
    """

    fact: str
    cause: str
    action: str
    owner: str
    due_date: date


class Answer(NamedTuple):
    """What a department answered of a target: it belongs to the target, whatever message it answers.

    Attributes:
        department_id: who answered.
        kind: `seen`, `snooze`, `snooze_ended`, `plan`, `dispute` or `dispute_closed`.
        way: `web` or `cli`.
        until: of a snooze, the first day on which it is told again.
        token_id: of the link it was given by; a link gives one answer of a kind.
    """

    target_id: str
    department_id: str
    kind: str
    given_at: datetime
    way: str
    reason: str | None = None
    until: date | None = None
    plan: Plan | None = None
    token_id: str | None = None


class Fate(NamedTuple):
    """What became of a message: sent, or waiting or given up and why."""

    sent_at: datetime | None
    is_dead: bool
    last_error: str | None


class Publication(NamedTuple):
    """A build that a store shows."""

    build_id: str
    store: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message that must be delivered.

    Attributes:
        message_key: the same key is the same message, whichever run wrote it.
        period: what it speaks of, for instance an ISO week.
        message: the whole message as it will be sent.
        attempts: how often sending failed.
        channel: by which way it leaves.
        told_at: when the data team was told that it does not arrive.
    """

    message_key: str
    department_id: str
    period: str
    build_id: str
    subject: str
    message: bytes
    created_at: datetime
    attempts: int = 0
    last_error: str | None = None
    channel: str = "mail"
    told_at: datetime | None = None

    @property
    def line(self) -> str:
        """What breaks as one: the mail server is everybody's, a webhook is one department's."""
        return f"{self.channel}:{self.department_id}" if self.channel == "teams" else self.channel


class _Connection(sqlite3.Connection):
    """Says which file is on the disk that is full."""

    def __init__(self, path: Path, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - those of sqlite3
        super().__init__(path, *arguments, **options)
        self._told = str(path)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as above
        with telling_when_full(self._told):
            return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as above
        with telling_when_full(self._told):
            return super().executemany(*arguments)


class State:
    """The state database of one profile; use it as a context manager.

    A write waits up to ten seconds for another process's. What an older version of the program wrote is brought
    forward when it is opened.

    Raises:
        NewerProfileError: a newer version of the program wrote it.
        DiskFullError: any call may, and then wrote nothing.
    """

    def __init__(self, path: Path) -> None:
        self._con = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, factory=_Connection)
        try:
            self._con.execute("pragma journal_mode = wal")
            self._con.execute("pragma synchronous = full")
            self._bring_forward(path)
        except BaseException:
            self._con.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._con.close()

    def asked(self, source: str, complete_until: datetime | None, at: datetime, batch_id: str | None) -> None:
        """Notes that a source was asked, the last time by any clock; up to where it speaks never moves back.

        Args:
            source: which.
            complete_until: up to where it speaks now.
            at: when it was asked.
            batch_id: the newest batch that holds what it said.
        """
        self._con.execute(
            """insert into source_progress (source, complete_until, last_asked_at, batch_id) values (?, ?, ?, ?)
            on conflict (source) do update set
            batch_id = case when complete_until > coalesce(excluded.complete_until, '') then batch_id
                            else excluded.batch_id end,
            complete_until = coalesce(max(complete_until, excluded.complete_until),
                                      complete_until, excluded.complete_until),
            last_asked_at = excluded.last_asked_at""",
            (source, _optional_text(complete_until), _text(at), batch_id),
        )

    def progress(self) -> list[Progress]:
        """Every source that was ever asked, by name."""
        rows = self._con.execute(
            "select source, complete_until, last_asked_at, batch_id from source_progress order by source"
        )
        return [
            Progress(source, _optional_moment(until), _moment(asked), batch_id)
            for source, until, asked, batch_id in rows
        ]

    def remember(self, source: str, content: Mapping[str, object], batch_id: str | None) -> None:
        """Keeps what the next pull of a source must know; it replaces what was kept."""
        self._con.execute("insert or replace into memories values (?, ?, ?)", (source, json.dumps(content), batch_id))

    def memory(self, source: str) -> Memory:
        """What the last pull of a source asked to be remembered; empty at first."""
        row = self._con.execute("select content, batch_id from memories where source = ?", (source,)).fetchone()
        return Memory({}, None) if row is None else Memory(dict(json.loads(row[0])), row[1])

    def refuse(self, refusal: Refusal) -> None:
        """Notes that a delivery was refused whole; of the same file the last reason counts."""
        *said, at = refusal
        self._con.execute("insert or replace into refused_drops values (?, ?, ?, ?, ?, ?, ?)", (*said, _text(at)))

    def refusals(self, of: str | None = None) -> list[Refusal]:
        """The refusals that still stand, of one source or of all, newest first."""
        where = "" if of is None else "where source = ?"
        # the words are ours, the value is bound
        rows = self._con.execute(
            f"""select source, origin, sha256, stamp, rules, reason, refused_at from refused_drops {where}
            order by refused_at desc, source, origin, sha256""",  # noqa: S608
            () if of is None else (of,),
        )
        return [
            Refusal(source, origin, sha256, stamp, rules, reason, _moment(at))
            for source, origin, sha256, stamp, rules, reason, at in rows
        ]

    def forgive(self, refusals: Iterable[Refusal]) -> None:
        """Forgets refusals, because those files landed or are gone."""
        self._con.executemany(
            "delete from refused_drops where source = ? and origin = ? and sha256 = ?",
            [(each.source, each.origin, each.sha256) for each in refusals],
        )

    def bury(self, source: str, batch_id: str, at: datetime) -> None:
        """Notes that the rows of a batch were erased and must stay so; the first time counts."""
        self._con.execute("insert into erasures values (?, ?, ?) on conflict do nothing", (source, batch_id, _text(at)))

    def buried(self) -> list[Erasure]:
        """Every batch whose rows must not come back, by source and batch."""
        rows = self._con.execute("select source, batch_id, erased_at from erasures order by source, batch_id")
        return [Erasure(source, batch_id, _moment(at)) for source, batch_id, at in rows]

    def note_pull(self, source: str, refused: Iterable[RefusedPull]) -> None:
        """Notes what the last pull of a source could not bring in; what an earlier one could not counts no more."""
        with self._transaction():
            self._con.execute("delete from refused_pulls where source = ?", (source,))
            self._con.executemany(
                "insert or replace into refused_pulls values (?, ?, ?, ?)",
                [(source, each.origin, each.reason, _text(each.refused_at)) for each in refused],
            )

    def refused_pulls(self) -> list[RefusedPull]:
        """What the last pull of each source could not bring in, by source."""
        rows = self._con.execute("select source, origin, reason, refused_at from refused_pulls order by source, origin")
        return [RefusedPull(source, origin, reason, _moment(at)) for source, origin, reason, at in rows]

    def note_failure(self, failure: RunFailure) -> None:
        """Notes that a run failed; the first reason counts."""
        *said, at = failure
        self._con.execute(
            "insert into run_failures values (?, ?, ?, ?) on conflict (run_id) do nothing", (*said, _text(at))
        )

    def failures(self, since: datetime | None) -> list[RunFailure]:
        """The runs that failed after a moment (None: ever), newest first."""
        rows = self._con.execute(
            """select run_id, job, reason, failed_at from run_failures where failed_at > ?
            order by failed_at desc, run_id""",
            (_optional_text(since) or "",),
        )
        return [RunFailure(run_id, job, reason, _moment(at)) for run_id, job, reason, at in rows]

    def enqueue(
        self, rows: Iterable[OutboxMessage], alerts: Iterable[Alert] = (), weeks: Iterable[DigestWeek] = ()
    ) -> int:
        """Puts messages in the outbox with what was decided by them, all or none; a key that is there is left alone.

        Returns:
            How many messages were new.
        """
        messages, decided, settled = list(rows), list(alerts), list(weeks)
        with self._transaction():
            before = self._con.total_changes
            self._put(messages)
            new = self._con.total_changes - before
            for alert in decided:
                self._decide(alert)
            self._con.executemany(
                "insert into digest_weeks values (?, ?, ?) on conflict (department_id, period) do nothing",
                [(each.department_id, each.period, _text(each.decided_at)) for each in settled],
            )
        return new

    def _put(self, rows: Iterable[OutboxMessage]) -> None:
        """Within the transaction of the caller."""
        self._con.executemany(
            """insert into outbox
            (message_key, department_id, period, build_id, subject, message, created_at, channel)
            values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (message_key) do nothing""",
            [
                (
                    r.message_key,
                    r.department_id,
                    r.period,
                    r.build_id,
                    r.subject,
                    r.message,
                    _text(r.created_at),
                    r.channel,
                )
                for r in rows
            ],
        )

    def _decide(self, alert: Alert) -> None:
        """Within the transaction of the caller: one more build that decided the same, or another decision."""
        build, at, until = alert.last_build_id, _text(alert.last_at), alert.until and alert.until.isoformat()
        longer = self._con.execute(
            """update alerts set builds = builds + (last_build_id <> ?), last_build_id = ?, last_at = ?, until = ?
            where alert_id = (
                select max(alert_id) from alerts where department_id = ? and target_id = ? and topic = ?
            )
            and (status, outcome, reason) = (?, ?, ?) and message_key is ?""",
            (build, build, at, until, alert.department_id, alert.target_id, alert.topic, *alert[2:6]),
        )
        if not longer.rowcount:
            self._con.execute(
                f"insert into alerts ({_ALERT}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)",  # noqa: S608
                (*alert[:6], build, at, build, at, alert.topic, alert.level, alert.points, alert.months, until),
            )

    def alerts(self) -> list[Alert]:
        """Everything that was ever decided, oldest first."""
        return self._alerts("true")

    def known(self) -> list[Alert]:
        """What each department knows of each target, and of its story where there is a level; oldest first.

        That is what it was told last, unless the message was taken back, or what was so when it was first looked at.
        """
        return self._alerts("""alert_id in (
            select max(alert_id) from alerts
            where reason in ('first_seen', 'same_story')
                or (outcome = 'told' and message_key in (select message_key from outbox))
            group by department_id, target_id, topic, level is null
        )""")

    def unanswered(self) -> dict[tuple[str, str], int]:
        """By department and target, how often it was told to be late since it last was not, and since an answer."""
        rows = self._con.execute("""
            select late.department_id, late.target_id, count(*) from alerts as late
            where late.outcome = 'told' and late.level = 'late'
                and late.message_key in (select message_key from outbox)
                and not exists (
                    select 1 from alerts as better
                    where (better.department_id, better.target_id) = (late.department_id, late.target_id)
                        and better.alert_id > late.alert_id and better.outcome = 'told' and better.level <> 'late'
                )
                and not exists (
                    select 1 from answers
                    where answers.target_id = late.target_id and answers.kind in ('seen', 'snooze', 'plan', 'dispute')
                        and answers.given_at >= late.first_at
                )
            group by late.department_id, late.target_id
        """)
        return {(department, target): count for department, target, count in rows}

    def _alerts(self, where: str) -> list[Alert]:
        # the words are ours
        rows = self._con.execute(f"select {_ALERT} from alerts where {where} order by alert_id")  # noqa: S608
        return [_alert(row) for row in rows]

    def digest_weeks(self, period: str) -> set[str]:
        """The departments whose digest of a week was decided."""
        rows = self._con.execute("select department_id from digest_weeks where period = ?", (period,))
        return {department for (department,) in rows}

    def has_decided(self, build_id: str) -> bool:
        """Whether it is known what a build decided."""
        return self._con.execute("select 1 from alerts where last_build_id = ?", (build_id,)).fetchone() is not None

    def answer(self, answer: Answer) -> bool:
        """Keeps an answer; False where the link that gives it gave one before, and nothing is written."""
        plan = answer.plan
        said = plan[:-1] if plan else (None,) * 4
        given = self._con.execute(
            """insert into answers (target_id, department_id, kind, reason, until, fact, cause, action, owner,
            due_date, token_id, given_at, way) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            on conflict (token_id) do nothing""",
            (
                *answer[:3],
                answer.reason,
                _iso(answer.until),
                *said,
                _iso(plan and plan.due_date),
                answer.token_id,
                _text(answer.given_at),
                answer.way,
            ),
        )
        return bool(given.rowcount)

    def answers(self) -> list[Answer]:
        """Everything that was ever answered, in that order."""
        rows = self._con.execute(
            """select target_id, department_id, kind, given_at, way, reason, until, token_id,
            fact, cause, action, owner, due_date from answers order by answer_id"""
        )
        return [
            Answer(target, who, kind, _moment(at), way, reason, _day(until), _plan(plan), token)
            for target, who, kind, at, way, reason, until, token, *plan in rows
        ]

    def enqueued(self, department_id: str) -> dict[str, datetime]:
        """When each message to a department was put in the outbox, sent or not, by key."""
        rows = self._con.execute("select message_key, created_at from outbox where department_id = ?", (department_id,))
        return {key: _moment(at) for key, at in rows}

    def waiting(self, tried_before: datetime, department_id: str | None = None) -> int:
        """How many messages should still arrive and were not tried since a moment; their content is not read.

        Args:
            tried_before: that moment.
            department_id: only those to this reader.
        """
        [(count,)] = self._con.execute(
            """select count(*) from outbox
            where sent_at is null and dead_at is null and (tried_at is null or tried_at < ?)
            and department_id = coalesce(?, department_id)""",
            (_text(tried_before), department_id),
        )
        return int(count)

    def unsent(self) -> list[OutboxMessage]:
        """The messages that nobody has yet and that are still tried, oldest first."""
        return self._messages("sent_at is null and dead_at is null")

    def dead_letters(self) -> list[OutboxMessage]:
        """The messages that nobody has and that are tried no more, until a person decides; oldest first."""
        return self._messages("dead_at is not null and closed_at is null")

    def _messages(self, where: str) -> list[OutboxMessage]:
        # the words are ours
        rows = self._con.execute(
            f"""select message_key, department_id, period, build_id, subject, message, created_at, attempts, last_error,
            channel, told_at from outbox where {where} order by created_at, message_key"""  # noqa: S608
        )
        return [
            OutboxMessage(
                key, who, period, build, subject, message, _moment(made), tries, error, channel, _optional_moment(told)
            )
            for key, who, period, build, subject, message, made, tries, error, channel, told in rows
        ]

    def fates(self) -> dict[str, Fate]:
        """What became of every message, by key."""
        rows = self._con.execute("select message_key, sent_at, dead_at is not null, last_error from outbox")
        return {key: Fate(_optional_moment(sent), bool(is_dead), error) for key, sent, is_dead, error in rows}

    def take_back(self, build_ids: Sequence[str]) -> int:
        """Removes the messages of these builds that nobody has yet.

        Returns:
            How many.
        """
        marks = ", ".join("?" * len(build_ids))
        # only marks are written into it
        gone = self._con.execute(
            f"delete from outbox where sent_at is null and build_id in ({marks})",  # noqa: S608
            tuple(build_ids),
        )
        return gone.rowcount

    def mark_sent(self, message_key: str, at: datetime) -> None:
        """Notes that a message was delivered; the first time counts."""
        self._con.execute(
            "update outbox set sent_at = ?, last_error = null where message_key = ? and sent_at is null",
            (_text(at), message_key),
        )

    def mark_failed(
        self,
        message_key: str,
        error: str,
        at: datetime,
        *,
        is_dead: bool = False,
        notice: OutboxMessage | None = None,
    ) -> None:
        """Notes that sending failed; the message stays unsent.

        Args:
            message_key: which.
            error: why.
            at: when it was tried.
            is_dead: it is tried no more until somebody revives it.
            notice: tells the data team; both are noted, or neither.
        """
        with self._transaction():
            self._fail([message_key], error, at)
            if is_dead:
                self._con.execute("update outbox set dead_at = ? where message_key = ?", (_text(at), message_key))
            if notice is not None:
                self._con.execute("update outbox set told_at = ? where message_key = ?", (_text(at), message_key))
                self._put([notice])

    def _fail(self, message_keys: Iterable[str], error: str, at: datetime) -> None:
        """Within the transaction of the caller."""
        self._con.executemany(
            "update outbox set attempts = attempts + 1, last_error = ?, tried_at = ? where message_key = ?",
            [(error, _text(at), key) for key in message_keys],
        )

    def mark_broken(
        self, line: str, message_keys: Iterable[str], error: str, at: datetime, notice: OutboxMessage | None = None
    ) -> None:
        """Notes that a line delivers nothing, for every message that waits for it; with a notice, all or none."""
        with self._transaction():
            self._fail(message_keys, error, at)
            self._con.execute(
                """insert into broken_lines values (?, 1, ?, ?, null) on conflict (line) do update set
                failures = failures + 1, reason = excluded.reason""",
                (line, _text(at), error),
            )
            if notice is not None:
                self._con.execute("update broken_lines set told_at = ? where line = ?", (_text(at), line))
                self._put([notice])

    def mark_working(self, line: str) -> None:
        """Notes that a line delivers again."""
        self._con.execute("delete from broken_lines where line = ?", (line,))

    def broken_lines(self) -> list[BrokenLine]:
        """The lines that deliver nothing at present, by name."""
        rows = self._con.execute("select line, failures, since, reason, told_at from broken_lines order by line")
        return [
            BrokenLine(line, failures, _moment(since), reason, _optional_moment(told))
            for line, failures, since, reason, told in rows
        ]

    def reroute(self, message_key: str, channel: str) -> None:
        """Lets a message leave by another way from now on."""
        self._con.execute("update outbox set channel = ? where message_key = ?", (channel, message_key))

    def revive(self, message_key: str) -> bool:
        """Lets a dead letter be tried again, as if it were new; False where there is none of that key."""
        revived = self._con.execute(
            """update outbox set dead_at = null, told_at = null, tried_at = null, attempts = 0
            where message_key = ? and dead_at is not null and closed_at is null""",
            (message_key,),
        )
        return bool(revived.rowcount)

    def close_letter(self, message_key: str, reason: str, at: datetime) -> bool:
        """Notes why a dead letter need not arrive; it is kept. False where there is none of that key."""
        closed = self._con.execute(
            """update outbox set closed_at = ?, last_error = ? || '; it was: ' || last_error
            where message_key = ? and dead_at is not null and closed_at is null""",
            (_text(at), reason, message_key),
        )
        return bool(closed.rowcount)

    def hold_outbox(self, hold: Hold) -> None:
        """Keeps every message in the outbox until it is released; the first reason counts."""
        self._con.execute(
            "insert into outbox_hold values (1, ?, ?) on conflict do nothing", (hold.reason, _text(hold.since))
        )

    def release_outbox(self) -> None:
        """Lets messages leave the outbox again."""
        self._con.execute("delete from outbox_hold")

    def outbox_hold(self) -> Hold | None:
        """Why and since when the outbox is held; None when it is not."""
        row = self._con.execute("select reason, since from outbox_hold").fetchone()
        return None if row is None else Hold(row[0], _moment(row[1]))

    def copy_to(self, path: Path) -> None:
        """Writes all of the state as it is at this moment into a new file, whoever writes meanwhile."""
        with closing(sqlite3.connect(path)) as copy:
            self._con.backup(copy)

    def publish(self, build_id: str, store: str, at: datetime) -> None:
        """Notes that a store shows a build; the first time counts."""
        self._con.execute(
            "insert into publications values (?, ?, ?) on conflict do nothing", (build_id, store, _text(at))
        )

    def published(self) -> list[Publication]:
        """What was ever published, oldest first."""
        rows = self._con.execute(
            "select build_id, store, published_at from publications order by published_at, build_id, store"
        )
        return [Publication(build, store, _moment(at)) for build, store, at in rows]

    def _bring_forward(self, path: Path) -> None:
        if self._version() == VERSION:
            return
        with self._transaction():
            # another process may have done it meanwhile
            found = self._version()
            if found > VERSION:
                raise NewerProfileError(path, found, VERSION)
            for statement in (each for migration in _MIGRATIONS[found:] for each in migration):
                self._con.execute(statement)
            self._con.execute(f"pragma user_version = {VERSION}")

    def _version(self) -> int:
        [(version,)] = self._con.execute("pragma user_version")
        return int(version)

    def _transaction(self) -> sqlite3.Connection:
        """Begins a transaction that the connection, used as a context manager, ends."""
        self._con.execute("begin immediate")
        return self._con


def _alert(row: Sequence[Any]) -> Alert:
    """From the columns of `_ALERT`."""
    *said, first, since, last, seen, builds, topic, level, points, months, until = row
    who, target, status, outcome, reason, key = said
    begun = who, target, status, outcome, reason, key, first, _moment(since)
    return Alert(*begun, last, _moment(seen), builds, topic, level, points, months, _optional_date(until))


def _text(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; every moment in the state is UTC")
    # one width, so that text sorts as time does
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _optional_text(moment: datetime | None) -> str | None:
    return None if moment is None else _text(moment)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _plan(cells: Sequence[str | None]) -> Plan | None:
    fact, cause, action, owner, due = cells
    # all of them are there, or none
    return Plan(fact or "", cause or "", action or "", owner or "", date.fromisoformat(due)) if due else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _optional_date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _optional_moment(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
