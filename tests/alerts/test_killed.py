"""kill -9 while it sends: nothing is lost, and nothing repeated but what was taken and not yet marked.

`KILLS=50 make chaos` tries fifty points instead of eight.
"""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from orchestration.alerts.digest import UNFOLDED
from tests.alerts.servers import (
    MAILBOX,
    SECRET,
    Flow,
    OfficePost,
    flowing,
    granting,
    server_side,
    serving,
    write_certificate,
)
from warehouse.state import OutboxMessage, State

KILLS = int(os.environ.get("KILLS", "8"))
ROOT = Path(__file__).parents[2]
DEPARTMENTS = ("mobiliteit", "wonen", "zorg")
PER_ROUND = 2
MOODS = ["451 4.7.1 Greylisted", "450 4.2.0 busy", "550 5.1.1 user unknown", "421 4.3.2 closing"]
GOODBYES = ["221 Bye", "250 OK", "500 what?", None]


@dataclass
class Round:
    """One sending: whether it was shot, and how often a message was taken and how often marked meanwhile."""

    is_killed: bool
    taken: int
    marked: int


def rows_of(number: int) -> list[OutboxMessage]:
    now = datetime.now(UTC)
    rows = []
    for department in DEPARTMENTS:
        key = f"{number}-{department}"
        mail = EmailMessage(policy=UNFOLDED)
        mail["From"], mail["To"], mail["Subject"] = MAILBOX, f"{department}@stad.test", key
        mail["Message-ID"] = f"<{key}@stad.test>"
        mail.set_content("x" * 2000)
        said = department, f"2026-{number}", "b", key
        rows.append(OutboxMessage(f"<{key}@stad.test>", *said, mail.as_bytes(), now))
        rows.append(OutboxMessage(f"{key}:teams", *said, b'{"type":"AdaptiveCard"}', now, channel="teams"))
    return rows


@pytest.mark.chaos  # kills processes
def test_killed_anywhere_nothing_is_lost_and_only_the_window_between_its_250_and_our_mark_repeats(
    tmp_path: Path,
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)  # noqa: S311 - where to die is no secret
    certificate = write_certificate(tmp_path / "server.pem")
    post, flow = OfficePost(), Flow()
    office = {"tls_context": server_side(certificate), "require_starttls": True, "auth_required": True}
    with serving(post, **office) as port, flowing(flow) as hook, flowing(granting()) as token_url:
        profile = _profile(tmp_path, certificate, port, hook, token_url)
        home = tmp_path / "var" / "kortrijk"
        with _sender(profile) as sender, State(home / "state.sqlite") as state:
            shooting = _Shooting(sender, home, state, post, flow)
            rounds, known = shooting.shoot(chance)
            shooting.finish()
            assert state.unsent() == []
            assert state.dead_letters() == []
    taken = Counter([*post.ids, *flow.keys])
    told = {key for key in taken if "undelivered" in key}
    assert set(taken) - told == known, f"lost, seed {seed}"
    assert sum(each.is_killed for each in rounds) == KILLS
    window = [each.taken - each.marked for each in rounds]
    assert all(more in (0, 1) for more in window), f"more than one in a window, seed {seed}"
    assert all(not more or each.is_killed for more, each in zip(window, rounds, strict=True)), f"seed {seed}"
    repeats = sum(taken.values()) - len(taken)
    sys.stdout.write(f"{KILLS} kills, {sum(window)} in the window, {repeats} repeats of {len(known)}, 0 lost\n")
    assert repeats <= sum(window), f"seed {seed}"


def _profile(tmp_path: Path, certificate: Path, port: int, hook: str, token_url: str) -> dict[str, str]:
    (tmp_path / "var" / "kortrijk").mkdir(parents=True)
    readers = "\n".join(f"{name},{name}@stad.test" for name in DEPARTMENTS)
    (tmp_path / "readers.csv").write_text(f"department_id,email\n{readers}\n", encoding="utf-8")
    hooks = "\n".join(f"{name},{hook}" for name in DEPARTMENTS)
    (tmp_path / "teams.csv").write_text(f"department_id,url\n{hooks}\n", encoding="utf-8")
    return {
        "ADEMRUIMTE_HOME": str(tmp_path / "var"),
        # a Monday morning: at night no department is written to
        "ADEMRUIMTE_AS_OF": "2026-11-23",
        "ADEMRUIMTE_SMTP_HOST": "127.0.0.1",
        "ADEMRUIMTE_SMTP_PORT": str(port),
        "ADEMRUIMTE_SMTP_USERNAME": MAILBOX,
        "ADEMRUIMTE_SMTP_CLIENT_ID": "de-toepassing",
        "ADEMRUIMTE_SMTP_CLIENT_SECRET": SECRET,
        "ADEMRUIMTE_SMTP_TOKEN_URL": token_url,
        "ADEMRUIMTE_SMTP_CA_FILE": str(certificate),
        "ADEMRUIMTE_SMTP_PER_MINUTE": "100000",
        "ADEMRUIMTE_RECIPIENTS": str(tmp_path / "readers.csv"),
        "ADEMRUIMTE_TEAMS": str(tmp_path / "teams.csv"),
        "ADEMRUIMTE_SENDER": MAILBOX,
        "ADEMRUIMTE_DATA_TEAM": "data@stad.test",
    }


def _sender(profile: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("killed_sending.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=profile["ADEMRUIMTE_HOME"],
        env={**os.environ, **profile, "PYTHONPATH": str(ROOT)},
    )


@dataclass
class _Shooting:
    """A sender, what it sends from, and who takes it."""

    sender: "subprocess.Popen[str]"
    home: Path
    state: State
    post: OfficePost
    flow: Flow

    def shoot(self, chance: random.Random) -> tuple[list[Round], set[str]]:
        """Sends in all weathers until enough senders were shot; the keys of everything there was to send go along."""
        rounds: list[Round] = []
        known: set[str] = set()
        usual = 0
        while sum(each.is_killed for each in rounds) < KILLS:
            for number in range(PER_ROUND):
                rows = rows_of(len(known) + number)
                known |= {row.message_key for row in rows}
                self.state.enqueue(rows)
            self.post.goodbye = chance.choice(GOODBYES)
            if usual and chance.random() < 0.5:
                reader = f"{chance.choice(DEPARTMENTS)}@stad.test"
                self.post.to_recipients = {reader: [chance.choice(MOODS)]}
                self.flow.answers = [(chance.choice([429, 503]), {"Retry-After": "0"}, b""), (202, {}, b"")]
            done, touches = self.send(chance.randrange(1, usual + 1) if usual else 0)
            usual = max(usual, touches)
            rounds.append(done)
        return rounds, known

    def finish(self) -> None:
        """In good weather everything arrives; a notice made by one sending leaves with the next."""
        self.post.to_recipients.clear()
        self.flow.answers = [(202, {}, b"")]
        for _ in range(3):
            for row in self.state.dead_letters():
                self.state.revive(row.message_key)
            done, _touches = self.send(0)
            assert not done.is_killed
        assert self.sender.stdin is not None
        self.sender.stdin.close()

    def send(self, touch: int) -> tuple[Round, int]:
        """One sending, and how many touches it made when it lived."""
        taken, marked = self._taken(), self._marked()
        assert self.sender.stdin is not None
        assert self.sender.stdout is not None
        self.sender.stdin.write(f"{touch}\n")
        self.sender.stdin.flush()
        code, touches = map(int, self.sender.stdout.readline().split())
        assert code in (0, -9)
        # a server takes what already lay in its socket when the child died
        before = -1
        while before != self._taken():
            before = self._taken()
            time.sleep(0.05)
        return Round(code != 0, self._taken() - taken, self._marked() - marked), touches

    def _taken(self) -> int:
        return len(self.post.got) + len(self.flow.got)

    def _marked(self) -> int:
        """How many messages the state says that a server took."""
        with closing(sqlite3.connect(self.home / "state.sqlite")) as con:
            [(marked,)] = con.execute("select count(*) from outbox where sent_at is not null and channel <> 'file'")
        return int(marked)
