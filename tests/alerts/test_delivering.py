"""What becomes of a message that is not taken: tried again, given up at the third time, and the data team is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.alerts.channels import Deliver, DeliveryError, HeldError, LineBrokenError, RefusedError
from orchestration.alerts.outbox import SendResult, Undelivered, send
from warehouse.state import OutboxMessage, State

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LATER = timedelta(minutes=10)


def a_row(key: str, department: str = "wonen", channel: str = "mail") -> OutboxMessage:
    return OutboxMessage(key, department, "2026-W48", "b", "s", b"m", NOW, channel=channel)


@dataclass
class Way:
    """A channel of the test's own: what it says to a key, to the end or once for each time it is asked."""

    says: dict[str, type[DeliveryError]] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    took: list[str] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[Deliver]:
        yield self._deliver

    def _deliver(self, row: OutboxMessage) -> None:
        self.tried.append(row.message_key)
        if row.message_key in self.says:
            raise self.says[row.message_key](f"no: {row.message_key}")
        self.took.append(row.message_key)


@dataclass
class Told:
    """What the data team was told, as rows that leave by a way of their own."""

    lost: list[Undelivered] = field(default_factory=list)

    def __call__(self, lost: Undelivered) -> OutboxMessage:
        self.lost.append(lost)
        return a_row(f"told-{len(self.lost)}", "data_team", "file")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state.sqlite") as opened:
        yield opened


@pytest.fixture
def told() -> Told:
    return Told()


def sendings(state: State, way: Way, told: Told, times: int) -> list[SendResult]:
    return [send(state, way, NOW + time * LATER, told) for time in range(times)]


def test_a_message_refused_for_good_is_given_up_at_the_third_time_and_the_data_team_is_told_once(
    state: State, told: Told
) -> None:
    state.enqueue([a_row("bad"), a_row("good")])
    way = Way({"bad": RefusedError})
    assert sendings(state, way, told, 6)[:3] == [(1, 1), (0, 1), (0, 1)]
    assert way.tried.count("bad") == 3
    (lost,) = told.lost
    assert (lost.line, lost.reason, lost.is_given_up) == ("mail", "no: bad", True)
    assert way.took == ["good", "told-1"], "the notice left with the next sending"
    (dead,) = state.dead_letters()
    assert (dead.message_key, dead.message, dead.attempts) == ("bad", b"m", 3)
    assert state.unsent() == []
    assert state.waiting(NOW + timedelta(days=1)) == 0


def test_a_dead_letter_that_is_released_is_tried_as_if_it_were_new(state: State, told: Told) -> None:
    state.enqueue([a_row("bad")])
    sendings(state, Way({"bad": RefusedError}), told, 4)
    assert state.revive("bad")
    assert state.dead_letters() == []
    assert send(state, Way(), NOW, told) == (1, 0)
    assert not state.revive("bad")
    assert not state.close_letter("bad", "x", NOW)


def test_a_dead_letter_that_is_closed_is_kept_and_shown_no_more(state: State, told: Told) -> None:
    state.enqueue([a_row("bad")])
    sendings(state, Way({"bad": RefusedError}), told, 4)
    assert state.close_letter("bad", "told by phone", NOW)
    assert (state.dead_letters(), state.unsent()) == ([], [])
    assert not state.revive("bad")
    assert state.enqueue([a_row("bad")]) == 0, "it is kept, so nobody is told a second time"


def test_a_message_that_may_be_taken_later_is_never_given_up_and_told_once(state: State, told: Told) -> None:
    state.enqueue([a_row("grey")])
    way = Way({"grey": DeliveryError})
    sendings(state, way, told, 8)
    assert way.tried.count("grey") == 8
    (lost,) = told.lost
    assert not lost.is_given_up
    assert state.dead_letters() == []
    assert send(state, Way(), NOW, told) == (1, 0)


def test_a_message_that_waits_for_an_address_is_no_failure_of_anything(state: State, told: Told) -> None:
    state.enqueue([a_row("held")])
    sendings(state, Way({"held": HeldError}), told, 8)
    assert told.lost == []
    assert [row.message_key for row in state.unsent()] == ["held"]
    sendings(state, Way({"held": RefusedError}), told, 1)
    assert [lost.reason for lost in told.lost] == ["no: held"]


def test_a_line_that_is_broken_is_tried_once_in_a_sending_whoever_waits_for_it(state: State, told: Told) -> None:
    state.enqueue([a_row(f"k{number}") for number in range(20)])
    way = Way(dict.fromkeys((f"k{number}" for number in range(20)), LineBrokenError))
    assert send(state, way, NOW, told) == (0, 20)
    assert way.tried == ["k0"]
    assert {row.last_error for row in state.unsent()} == {"no: k0"}
    assert {row.attempts for row in state.unsent()} == {1}


def test_a_line_broken_for_the_third_time_is_told_once_with_all_that_wait(state: State, told: Told) -> None:
    state.enqueue([a_row("k0"), a_row("k1")])
    sendings(state, Way({"k0": LineBrokenError}), told, 7)
    (lost,) = told.lost
    assert (lost.line, [row.message_key for row in lost.rows], lost.is_given_up) == ("mail", ["k0", "k1"], False)
    assert [(each.line, each.failures, each.since) for each in state.broken_lines()] == [("mail", 7, NOW)]


def test_a_line_that_works_again_delivers_everything_once_and_its_next_fault_is_told_anew(
    state: State, told: Told
) -> None:
    state.enqueue([a_row("k0"), a_row("k1")])
    sendings(state, Way({"k0": LineBrokenError}), told, 4)
    way = Way()
    assert send(state, way, NOW, told) == (2, 0)
    assert state.broken_lines() == []
    state.enqueue([a_row("k2")])
    sendings(state, Way({"k2": LineBrokenError}), told, 4)
    assert [lost.line for lost in told.lost] == ["mail", "mail"]


def test_the_flow_of_one_department_holds_up_no_other_line(state: State, told: Told) -> None:
    state.enqueue([a_row("a", "wonen", "teams"), a_row("b", "mobiliteit", "teams"), a_row("c"), a_row("d", "zorg")])
    way = Way({"a": LineBrokenError, "c": RefusedError})
    assert send(state, way, NOW, told) == (2, 2)
    assert sorted(way.took) == ["b", "d"]
    assert [each.line for each in state.broken_lines()] == ["teams:wonen"]


def test_the_data_teams_own_mail_that_nobody_takes_is_laid_in_the_folder(state: State, told: Told) -> None:
    state.enqueue([a_row("daily", "data_team")])
    sendings(state, Way({"daily": RefusedError}), told, 3)
    (row,) = state.unsent()
    assert row.channel == "file"
    assert told.lost == []
    assert state.dead_letters() == []


def test_a_notice_that_cannot_be_made_is_made_at_the_next_try_and_holds_nothing_up(state: State) -> None:
    state.enqueue([a_row("grey"), a_row("good")])
    way = Way({"grey": DeliveryError})
    told = Told()

    def broken(lost: Undelivered) -> OutboxMessage:
        raise ZeroDivisionError(lost.line)

    for fallback in (broken, broken, broken, told, told):
        send(state, way, NOW, fallback)
    assert len(told.lost) == 1
    assert "good" in way.took


def test_the_notice_and_what_it_tells_are_noted_together(state: State, tmp_path: Path) -> None:
    state.enqueue([a_row("bad")])
    for _ in range(2):
        state.mark_failed("bad", "no", NOW)
    impossible = replace(a_row("told"), subject=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        state.mark_failed("bad", "no", NOW, is_dead=True, notice=impossible)
    with pytest.raises(Exception, match="NOT NULL"):
        state.mark_broken("mail", ["bad"], "no", NOW, impossible)
    with State(tmp_path / "state.sqlite") as again:
        assert [(row.message_key, row.attempts) for row in again.unsent()] == [("bad", 2)]
        assert (again.dead_letters(), again.broken_lines()) == ([], [])
