import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from warehouse.state import OutboxMessage, Progress, Publication, Refusal, State

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MESSAGE = OutboxMessage("k1", "d1", "2026-W47", "b1", "Uw doelen", b"From: x\r\n\r\n\x00\xff", NOON)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state.sqlite") as opened:
        yield opened


def test_what_is_written_is_forced_to_disk_and_readable_meanwhile(tmp_path: Path, state: State) -> None:
    state.asked("meters", NOON, NOON)
    reader = sqlite3.connect(tmp_path / "state.sqlite")
    assert reader.execute("pragma journal_mode").fetchone() == ("wal",)
    assert reader.execute("select * from source_progress").fetchall() == [
        ("meters", "2026-11-22T12:00:00.000000+00:00", "2026-11-22T12:00:00.000000+00:00")
    ]
    reader.close()


def test_up_to_where_a_source_speaks_never_moves_back(state: State) -> None:
    state.asked("meters", None, NOON)
    assert state.progress() == [Progress("meters", None, NOON)]
    state.asked("meters", NOON, NOON + HOUR)
    state.asked("meters", NOON - HOUR, NOON + 2 * HOUR)
    state.asked("meters", None, NOON)
    assert state.progress() == [Progress("meters", NOON, NOON + 2 * HOUR)]


def test_a_whole_second_and_a_fraction_sort_as_time_does(state: State) -> None:
    state.asked("meters", NOON + timedelta(microseconds=1), NOON)
    state.asked("meters", NOON.astimezone(timezone(5 * HOUR)), NOON)
    assert state.progress()[0].complete_until == NOON + timedelta(microseconds=1)


def test_a_moment_without_a_time_zone_is_refused(state: State) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        state.asked("meters", None, NOON.replace(tzinfo=None))


def test_a_refusal_stands_with_its_last_reason_until_it_is_forgiven(state: State) -> None:
    first = Refusal("meters", "a.csv", "abc", "1-code", "no header", NOON)
    last = first._replace(reason="no such column", rules="2-code", refused_at=NOON + HOUR)
    state.refuse(first)
    state.refuse(last)
    assert state.refusals() == [last]
    assert state.refused("meters", "a.csv", "abc") == last
    assert state.refused("tickets", "a.csv", "abc") is None
    state.forgive("tickets")
    state.forgive("meters", but=[("a.csv", "abc")])
    assert state.refusals() == [last]
    state.forgive("meters")
    assert state.refused("meters", "a.csv", "abc") is None


def test_the_same_content_under_two_names_is_refused_twice(state: State) -> None:
    refusal = Refusal("meters", "a.csv", "abc", "1-code", "no header", NOON)
    state.refuse(refusal)
    state.refuse(refusal._replace(origin="b.csv"))
    assert state.refused("meters", "a.csv", "abc") == refusal
    assert len(state.refusals()) == 2


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
    state.mark_failed("k1", "451 try later")
    (waiting,) = state.unsent()
    assert (waiting.attempts, waiting.last_error) == (1, "451 try later")
    state.mark_sent("k1", NOON)
    assert state.unsent() == []
    assert state.enqueue([MESSAGE]) == 0


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
