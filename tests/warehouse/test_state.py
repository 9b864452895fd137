import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from warehouse.layout import NewerProfileError
from warehouse.state import (
    VERSION,
    Alert,
    Answer,
    DigestWeek,
    Erasure,
    OutboxMessage,
    Plan,
    Progress,
    Publication,
    Refusal,
    RefusedPull,
    RunFailure,
    State,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MESSAGE = OutboxMessage("k1", "d1", "2026-W47", "b1", "Uw doelen", b"From: x\r\n\r\n\x00\xff", NOON)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state.sqlite") as opened:
        yield opened


def test_what_is_written_is_forced_to_disk_and_readable_meanwhile(tmp_path: Path, state: State) -> None:
    state.asked("meters", NOON, NOON, None)
    reader = sqlite3.connect(tmp_path / "state.sqlite")
    assert reader.execute("pragma journal_mode").fetchone() == ("wal",)
    assert reader.execute("select source, complete_until, last_asked_at from source_progress").fetchall() == [
        ("meters", "2026-11-22T12:00:00.000000+00:00", "2026-11-22T12:00:00.000000+00:00")
    ]
    reader.close()


def test_up_to_where_a_source_speaks_never_moves_back(state: State) -> None:
    state.asked("meters", None, NOON, None)
    assert state.progress() == [Progress("meters", None, NOON)]
    state.asked("meters", NOON, NOON + HOUR, None)
    state.asked("meters", NOON - HOUR, NOON + 2 * HOUR, None)
    assert state.progress() == [Progress("meters", NOON, NOON + 2 * HOUR)]
    # a clock that was ahead
    state.asked("meters", None, NOON, None)
    assert state.progress() == [Progress("meters", NOON, NOON)]


def test_a_whole_second_and_a_fraction_sort_as_time_does(state: State) -> None:
    state.asked("meters", NOON + timedelta(microseconds=1), NOON, None)
    state.asked("meters", NOON.astimezone(timezone(5 * HOUR)), NOON, None)
    assert state.progress()[0].complete_until == NOON + timedelta(microseconds=1)


def test_a_moment_without_a_time_zone_is_refused(state: State) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        state.asked("meters", None, NOON.replace(tzinfo=None), None)


REFUSED = Refusal("meters", "a.csv", "abc", "12 bytes", "code 1", "no header", NOON)


def test_a_refusal_stands_with_its_last_reason_until_it_is_forgiven(state: State) -> None:
    last = REFUSED._replace(reason="no such column", rules="code 2", stamp="13 bytes", refused_at=NOON + HOUR)
    state.refuse(REFUSED)
    state.refuse(last)
    assert state.refusals() == state.refusals("meters") == [last]
    assert state.refusals("tickets") == []
    state.forgive([])
    state.forgive([last._replace(source="tickets"), last._replace(sha256="def")])
    assert state.refusals() == [last]
    state.forgive([last])
    assert state.refusals() == []


def test_the_same_content_under_two_names_is_refused_twice(state: State) -> None:
    state.refuse(REFUSED)
    state.refuse(REFUSED._replace(origin="b.csv"))
    assert {each.origin for each in state.refusals("meters")} == {"a.csv", "b.csv"}


@pytest.mark.parametrize(
    "older",
    [
        "create table refusals (source text, sha256 text)",
        "create table refused_files (source text, origin text, sha256 text, rules text, reason text, refused_at text)",
    ],
)
def test_what_an_older_version_remembered_of_refused_files_is_forgotten_and_the_rest_kept(
    tmp_path: Path, older: str
) -> None:
    path = tmp_path / "older.sqlite"
    with sqlite3.connect(path) as before:
        before.execute(older)
        before.execute(
            """create table outbox (message_key text primary key, department_id text not null, period text not null,
            build_id text not null, subject text not null, message blob not null, created_at text not null,
            sent_at text, attempts integer not null default 0, last_error text)"""
        )
        told = (MESSAGE.message_key, MESSAGE.department_id, MESSAGE.period, MESSAGE.build_id, MESSAGE.subject)
        values = (*told, MESSAGE.message, "2026-11-22T12:00:00.000000+00:00", None, 0, None)
        before.execute("insert into outbox values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    before.close()
    with State(path) as state:
        assert (state.refusals(), state.unsent()) == ([], [MESSAGE])
        state.refuse(REFUSED)
    with State(path) as again:
        assert again.refusals() == [REFUSED], "only what is older is forgotten"
    tables = sqlite3.connect(path).execute("select name from sqlite_master").fetchall()
    assert not {("refusals",), ("refused_files",)} & set(tables)


def test_a_state_of_a_newer_version_is_refused_in_words_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "newer.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute(f"pragma user_version = {VERSION + 1}")
    newer.close()
    with pytest.raises(NewerProfileError, match="written by a newer version of Ademruimte"):
        State(path)
    assert sqlite3.connect(path).execute("select count(*) from sqlite_master").fetchone() == (0,)


def test_every_new_state_bears_todays_version(tmp_path: Path, state: State) -> None:
    state.asked("meters", NOON, NOON, None)
    assert sqlite3.connect(tmp_path / "state.sqlite").execute("pragma user_version").fetchone() == (VERSION,)


def test_a_run_that_failed_is_told_once_and_only_since_the_last_time(state: State) -> None:
    failure = RunFailure("r1", "build", "dbt nodes failed", NOON)
    state.note_failure(failure)
    state.note_failure(failure._replace(reason="again"))
    state.note_failure(failure._replace(run_id="r2", failed_at=NOON + HOUR))
    assert [each.run_id for each in state.failures(None)] == ["r2", "r1"]
    assert state.failures(NOON) == [failure._replace(run_id="r2", failed_at=NOON + HOUR)]


def test_only_what_the_last_pull_of_a_source_could_not_bring_in_stands(state: State) -> None:
    first = RefusedPull("meters", "desk a", "401", NOON)
    state.note_pull("meters", [first, first._replace(origin="desk b")])
    state.note_pull("tickets", [first._replace(source="tickets")])
    state.note_pull("meters", [first])
    assert state.refused_pulls() == [first, first._replace(source="tickets")]
    state.note_pull("meters", [])
    assert [each.source for each in state.refused_pulls()] == ["tickets"]


def test_an_erasure_is_noted_once_and_for_good(state: State) -> None:
    state.bury("meters", "b1", NOON)
    state.bury("meters", "b1", NOON + HOUR)
    assert state.buried() == [Erasure("meters", "b1", NOON)]


def test_the_same_message_enters_the_outbox_once(state: State) -> None:
    assert state.enqueue([MESSAGE, replace(MESSAGE, message_key="k2")]) == 2
    assert state.enqueue([replace(MESSAGE, subject="other"), replace(MESSAGE, message_key="k3")]) == 1
    assert [message.message_key for message in state.unsent()] == ["k1", "k2", "k3"]
    assert state.unsent()[0] == MESSAGE
    assert state.enqueue([]) == 0


def test_messages_enter_the_outbox_all_or_none(state: State) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        state.enqueue([MESSAGE, replace(MESSAGE, message_key="k2", subject=None)])  # type: ignore[arg-type]
    assert state.unsent() == []
    assert state.enqueue([MESSAGE]) == 1


def test_a_message_stays_unsent_until_somebody_has_it(state: State) -> None:
    state.enqueue([MESSAGE])
    state.mark_failed("k1", "451 try later", NOON)
    (waiting,) = state.unsent()
    assert (waiting.attempts, waiting.last_error) == (1, "451 try later")
    state.mark_sent("k1", NOON)
    assert state.unsent() == []
    assert state.enqueue([MESSAGE]) == 0


def test_a_message_waits_a_while_after_a_try_that_failed_and_asking_reads_no_message(
    tmp_path: Path, state: State
) -> None:
    state.enqueue([MESSAGE, replace(MESSAGE, message_key="k2")])
    assert state.waiting(NOON) == 2
    state.mark_failed("k1", "451 try later", NOON)
    assert (state.waiting(NOON), state.waiting(NOON + HOUR)) == (1, 2)
    state.mark_sent("k2", NOON)
    assert (state.waiting(NOON), state.waiting(NOON + HOUR)) == (0, 1)
    asked = "explain query plan select count(*) from outbox where sent_at is null and tried_at is null"
    ((_, _, _, how),) = sqlite3.connect(tmp_path / "state.sqlite").execute(asked)
    assert "outbox_unsent" in how


def test_a_state_of_before_there_were_channels_keeps_what_waits_and_sends_it_by_mail(tmp_path: Path) -> None:
    path = tmp_path / "third.sqlite"
    with State(path) as state:
        state.enqueue([MESSAGE])
        state.mark_failed("k1", "451 try later", NOON)
    # as the version before left it
    with sqlite3.connect(path) as before:
        for name in ("outbox_dead", "alerts_newest"):
            before.execute(f"drop index {name}")
        for name in ("broken_lines", "alerts", "digest_weeks", "answers"):
            before.execute(f"drop table {name}")
        for name in ("channel", "dead_at", "told_at", "closed_at"):
            before.execute(f"alter table outbox drop column {name}")
        before.execute("pragma user_version = 3")
    before.close()
    with State(path) as state:
        assert state.unsent() == [replace(MESSAGE, attempts=1, last_error="451 try later")]
        assert (state.unsent()[0].channel, state.dead_letters(), state.broken_lines()) == ("mail", [], [])
    assert sqlite3.connect(path).execute("pragma user_version").fetchone() == (VERSION,)


def test_what_an_earlier_version_told_is_known_and_is_told_no_second_time(tmp_path: Path) -> None:
    path = tmp_path / "fourth.sqlite"
    with State(path) as state:
        state.enqueue(
            [MESSAGE],
            [
                DECIDED,
                DECIDED._replace(target_id="t2", status="overdue", reason="mentioned"),
                DECIDED._replace(target_id="t3", status="awaiting_figure", reason="awaiting_figure"),
                DECIDED._replace(target_id="t4", outcome="silent", reason="nothing_wrong", message_key=None),
            ],
        )
    with sqlite3.connect(path) as before:
        for name in ("digest_weeks", "answers"):
            before.execute(f"drop table {name}")
        for name in ("topic", "level", "points", "months", "until"):
            before.execute(f"alter table alerts drop column {name}")
        before.execute("pragma user_version = 4")
    before.close()
    with State(path) as state:
        assert [(each.target_id, each.topic, each.level) for each in state.known()] == [
            ("t1", "judgement", "late"),
            ("t2", "judgement", "at_risk"),
            ("t3", "figure", None),
        ]


def test_what_was_told_in_a_message_that_is_taken_back_is_not_known(state: State) -> None:
    told = DECIDED._replace(level="late")
    state.enqueue(
        [MESSAGE], [told._replace(reason="first_seen", outcome="silent", message_key=None, level="fine"), told]
    )
    assert [each.reason for each in state.known()] == ["behind"]
    assert state.take_back(["b1"]) == 1
    assert [each.reason for each in state.known()] == ["first_seen"]


def test_the_week_of_a_digest_is_settled_with_its_message_or_not_at_all(state: State) -> None:
    weeks = [DigestWeek("wonen", "2026-W48", NOON)]
    with pytest.raises(sqlite3.IntegrityError):
        state.enqueue([MESSAGE], [DECIDED._replace(status=None)], weeks)  # type: ignore[arg-type]
    assert state.digest_weeks("2026-W48") == set()
    for _ in range(2):
        state.enqueue([MESSAGE], [DECIDED], weeks)
    assert (state.digest_weeks("2026-W48"), state.digest_weeks("2026-W49")) == ({"wonen"}, set())


DECIDED = Alert("wonen", "t1", "behind", "told", "behind", "k1", "b1", NOON, "b1", NOON)


def test_messages_and_what_was_decided_by_them_are_noted_together(state: State) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        state.enqueue([MESSAGE], [DECIDED._replace(status=None)])  # type: ignore[arg-type]
    assert (state.unsent(), state.alerts()) == ([], [])
    assert state.enqueue([MESSAGE], [DECIDED]) == 1
    assert (state.alerts(), state.has_decided("b1"), state.has_decided("b2")) == ([DECIDED], True, False)


def test_the_same_decision_is_one_row_for_as_long_as_it_stands(state: State) -> None:
    again = DECIDED._replace(last_build_id="b2", last_at=NOON + HOUR)
    for alert in (DECIDED, again, again, again._replace(target_id="t2", message_key=None)):
        state.enqueue([], [alert])
    first, other = state.alerts()
    assert first == again._replace(builds=2)
    assert (other.target_id, other.first_build_id, other.builds) == ("t2", "b2", 1)
    state.enqueue([], [again._replace(status="at_risk", outcome="silent", last_build_id="b3")])
    state.enqueue([], [again._replace(last_build_id="b4")])
    assert [each.status for each in state.alerts() if each.target_id == "t1"] == ["behind", "at_risk", "behind"]


def test_a_publication_keeps_its_first_moment(state: State) -> None:
    state.publish("b1", "files", NOON)
    state.publish("b1", "files", NOON + HOUR)
    state.publish("b1", "postgres", NOON + HOUR)
    assert state.published() == [Publication("b1", "files", NOON), Publication("b1", "postgres", NOON + HOUR)]


def test_state_survives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with State(path) as first:
        first.enqueue([MESSAGE])
    with State(path) as second:
        assert second.unsent() == [MESSAGE]


def test_a_writer_waits_for_another_process_instead_of_failing(
    tmp_path: Path, state: State, start: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = start("holding_state.py", tmp_path / "state.sqlite")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    assert state.enqueue([MESSAGE]) == 1
    holder.communicate(timeout=20)
    assert len(state.progress()) == 1


PLANNED = Answer(
    "trees",
    "groen",
    "plan",
    NOON,
    "web",
    plan=Plan(
        "Er staan er 300.", "De kweker levert laat.", "Een tweede kweker.", "diensthoofd groen", date(2027, 3, 1)
    ),
    token_id="t2",
)
SNOOZED = Answer("trees", "groen", "snooze", NOON, "cli", "De plantdagen zijn in maart.", date(2027, 3, 1))


def test_answers_are_read_back_whole_in_the_order_they_came(state: State) -> None:
    assert all(map(state.answer, (PLANNED, SNOOZED)))
    assert state.answers() == [PLANNED, SNOOZED]


def test_a_link_gives_one_answer_and_the_command_line_as_many_as_it_likes(state: State) -> None:
    assert state.answer(PLANNED)
    assert not state.answer(PLANNED._replace(given_at=NOON + HOUR, plan=None))
    assert state.answer(SNOOZED)
    assert state.answer(SNOOZED)
    assert state.answers() == [PLANNED, SNOOZED, SNOOZED]


@pytest.mark.parametrize("statement", ["update answers set reason = 'anders'", "delete from answers"])
def test_an_answer_is_never_changed_and_never_removed(tmp_path: Path, state: State, statement: str) -> None:
    state.answer(SNOOZED)
    con = sqlite3.connect(tmp_path / "state.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="an answer is never"):
        con.execute(statement)
    con.close()


def test_answers_stay_when_the_messages_of_a_build_are_taken_back(state: State) -> None:
    state.enqueue([MESSAGE])
    state.answer(SNOOZED)
    assert state.take_back(["b1"]) == 1
    assert state.answers() == [SNOOZED]
