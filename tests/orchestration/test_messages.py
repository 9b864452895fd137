"""Messages: one per department and week, delivered once, and never lost when nobody takes them."""

import csv
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import polars as pl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from orchestration.loop.messages import send, waiting_messages
from orchestration.loop.telling import fill_outbox
from orchestration.report import published_frame
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW, settings_in
from warehouse.published.pointer import current, flip, stage
from warehouse.state import OutboxMessage, State


class Post:
    """A real mail server on loopback; it keeps to whom what was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []

    # aiosmtpd looks its hooks up by this name.
    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, EmailMessage, policy=policy.default)
        self.got.append((envelope.rcpt_tos, mail))
        return "250 OK"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    server = Post()
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield server, controller.port
    controller.stop()


def waiting(settings: Settings) -> list[OutboxMessage]:
    with State(settings.layout.state) as state:
        return state.unsent()


def by_smtp(settings: Settings, port: int, recipients: Path | None = None) -> Settings:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False, "recipients": recipients}
    return settings.model_copy(update=mail)


def later(settings: Settings, after: timedelta) -> Settings:
    """The same profile on a later day."""
    return settings.model_copy(update={"fixed_as_of": settings.as_of(NOW) + after})


def publish_again(settings: Settings, after: timedelta) -> Settings:
    """The published build once more, as if it were made that much later; the profile on that day."""
    published = settings.layout.published
    build_id = f"{current(published)}-{after.days}"

    def write(folder: Path) -> None:
        shutil.copytree(published / "current" / "parquet", folder / "parquet")
        file = folder / "parquet" / "marts" / "dim_build.parquet"
        dated = pl.read_parquet(file).with_columns(as_of_date=pl.lit(settings.as_of(NOW) + after))
        file.unlink()
        dated.write_parquet(file)

    stage(published, build_id, write)
    flip(published, build_id)
    return later(settings, after)


def address_book(path: Path, *departments: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("department_id", "email"), *((name, f"{name}@stad.test") for name in departments)])
    return path


def test_without_a_published_build_there_is_nothing_to_tell(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    assert fill_outbox(settings, NOW) == 0
    assert waiting(settings) == []


def test_a_build_that_readers_do_not_see_is_not_told(own_demo: Settings) -> None:
    publish_again(own_demo, timedelta(weeks=1))
    (own_demo.layout.published / "current.json").unlink()
    assert fill_outbox(own_demo, NOW) == 0


def test_every_department_with_something_to_know_has_one_message_and_no_other_has(demo: Settings) -> None:
    verdicts = published_frame(demo, "verdicts.fct_target_verdicts")
    behind = verdicts.filter(pl.col("is_alarm"))
    assert set(behind["status"]) <= {"behind", "overdue"}
    asks = pl.col("is_alarm") | (pl.col("is_first_of_story") & pl.col("attention_nl").is_not_null())
    known = {*verdicts.filter(asks)["department_id"]}
    known |= {*verdicts.filter(pl.col("status") == "awaiting_figure")["data_owner_department_id"]} - {None}
    told = [row.department_id for row in waiting(demo)]
    assert sorted(told) == sorted(known)
    assert len({*behind["department_id"]}) < len(told) < verdicts["department_id"].n_unique()


def test_telling_the_same_week_again_adds_nothing(own_demo: Settings) -> None:
    before = waiting(own_demo)
    assert fill_outbox(own_demo, NOW) == 0
    for days in range(1, 7):
        assert fill_outbox(publish_again(own_demo, timedelta(days=days)), NOW) == 0
    assert waiting(own_demo) == before


def test_a_week_later_whoever_did_not_answer_is_reminded_of_what_is_behind_and_then_a_month_later(
    own_demo: Settings,
) -> None:
    behind = published_frame(own_demo, "verdicts.fct_target_verdicts").filter(pl.col("is_alarm"))["department_id"]
    told = {}
    for weeks in range(1, 8):
        before = {row.message_key for row in waiting(own_demo)}
        fill_outbox(publish_again(own_demo, timedelta(weeks=weeks)), NOW)
        told[weeks] = {row.department_id for row in waiting(own_demo) if row.message_key not in before}
    # the figures that are owed are asked for again after thirty days
    assert {weeks: set(who) for weeks, who in told.items() if weeks not in {5, 6}} == {
        1: set(behind),
        2: set(),
        3: set(),
        4: set(),
        7: set(),
    }
    assert told[6] == set(behind)


def test_a_message_comes_from_the_sender_of_the_settings_and_names_its_build(own_demo: Settings) -> None:
    next_week = publish_again(own_demo, timedelta(weeks=1))
    fill_outbox(next_week.model_copy(update={"sender": "Databord <bord@stad.test>"}), NOW)
    fresh = [row for row in waiting(own_demo) if row.period == "2026-W49"]
    assert fresh
    for row in fresh:
        mail = message_from_bytes(row.message, EmailMessage, policy=policy.default)
        assert mail["From"] == "Databord <bord@stad.test>"
        assert row.build_id == current(own_demo.layout.published)


def test_a_message_is_written_once_as_a_file_and_then_is_sent(own_demo: Settings) -> None:
    rows = waiting(own_demo)
    assert send(own_demo, LATER) == (len(rows), 0)
    files = {path.name: path.read_bytes() for path in own_demo.layout.mail.iterdir()}
    assert files == {f"{row.period}-{row.department_id}.eml": row.message for row in rows}
    assert waiting(own_demo) == []
    for name in files:
        (own_demo.layout.mail / name).unlink()
    assert send(own_demo, LATER) == (0, 0)
    assert list(own_demo.layout.mail.iterdir()) == []


def test_a_message_that_was_sent_is_not_told_again(own_demo: Settings) -> None:
    assert send(own_demo, LATER).sent > 0
    assert fill_outbox(own_demo, NOW) == 0
    assert waiting(own_demo) == []


def test_a_mail_server_gets_the_messages_of_departments_with_an_address(
    own_demo: Settings, post: tuple[Post, int], tmp_path: Path
) -> None:
    server, port = post
    first, *others = [row.department_id for row in waiting(own_demo)]
    recipients = address_book(tmp_path / "lezers.csv", first)
    assert send(by_smtp(own_demo, port, recipients), LATER) == (1, len(others))
    ((to, mail),) = server.got
    assert to == [f"{first}@stad.test"]
    assert mail["To"] == f"{first}@stad.test"
    assert not list(own_demo.layout.mail.iterdir()), "a message leaves one way only"
    assert [row.department_id for row in waiting(own_demo)] == others
    assert all("no mail address" in (row.last_error or "") for row in waiting(own_demo))


def test_who_gets_an_address_later_is_told_later_and_the_others_not_twice(
    own_demo: Settings, post: tuple[Post, int], tmp_path: Path
) -> None:
    server, port = post
    departments = [row.department_id for row in waiting(own_demo)]
    send(by_smtp(own_demo, port, address_book(tmp_path / "lezers.csv", *departments[:1])), NOW)
    everyone = address_book(tmp_path / "lezers.csv", *departments)
    assert send(by_smtp(own_demo, port, everyone), LATER) == (len(departments) - 1, 0)
    assert sorted(to for (to,), _ in server.got) == sorted(f"{name}@stad.test" for name in departments)


def test_a_mail_server_that_is_down_keeps_every_message_for_the_next_time(
    own_demo: Settings, post: tuple[Post, int], tmp_path: Path
) -> None:
    before = waiting(own_demo)
    recipients = address_book(tmp_path / "lezers.csv", *(row.department_id for row in before))
    assert send(by_smtp(own_demo, free_port(), recipients), NOW) == (0, len(before))
    kept = waiting(own_demo)
    assert [row.message for row in kept] == [row.message for row in before]
    assert [row.attempts for row in kept] == [row.attempts + 1 for row in before]
    assert all("127.0.0.1" in (row.last_error or "") for row in kept)
    assert send(by_smtp(own_demo, post[1], recipients), LATER) == (len(before), 0)
    assert len(post[0].got) == len(before)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "kan niet gelezen worden"),
        (b"department_id,mail\nwonen,a@stad.test\n", "regel 1 ontbreekt de kolom email"),
    ],
)
def test_a_file_with_recipients_that_cannot_be_used_keeps_every_message_waiting_and_says_why(
    own_demo: Settings, post: tuple[Post, int], tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "weg" / "lezers.csv"
    if content is not None:
        file.parent.mkdir()
        file.write_bytes(content)
    before = waiting(own_demo)
    assert send(by_smtp(own_demo, post[1], file), LATER) == (0, len(before))
    assert [row.message for row in waiting(own_demo)] == [row.message for row in before]
    assert all(says in (row.last_error or "") and "lezers.csv" in (row.last_error or "") for row in waiting(own_demo))
    assert post[0].got == []


@pytest.mark.parametrize("address", ["hélène@stad.test", "een@stad.test twee@stad.test"])
def test_one_address_that_cannot_be_used_holds_one_message_and_is_told_with_its_line(
    own_demo: Settings, post: tuple[Post, int], tmp_path: Path, address: str
) -> None:
    bad, *others = [row.department_id for row in waiting(own_demo)]
    file = address_book(tmp_path / "lezers.csv", *others)
    with file.open("a", encoding="utf-8") as more:
        more.write(f"{bad},{address}\n")
    assert send(by_smtp(own_demo, post[1], file), LATER) == (len(others), 1)
    (held,) = waiting(own_demo)
    assert held.department_id == bad
    assert f"lezers.csv: regel {len(others) + 2}" in (held.last_error or "").replace(" heeft", ":")
    assert "stad.test" not in (held.last_error or "")


FILLS_AGAIN = """
import sys
from datetime import UTC, datetime
from orchestration.loop.telling import fill_outbox
from orchestration.settings import read_settings
assert fill_outbox(read_settings(), datetime.now(UTC)) == 0
print(sorted({"altair", "vl_convert", "jinja2"} & sys.modules.keys()))
"""


def test_nothing_is_drawn_for_messages_that_are_in_the_outbox_already(own_demo: Settings) -> None:
    environment = {**os.environ, **own_demo.environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    said = subprocess.run(
        [sys.executable, "-c", FILLS_AGAIN], env=environment, check=False, capture_output=True, text=True
    )
    assert (said.returncode, said.stdout) == (0, "[]\n"), said.stderr


def test_a_published_file_that_is_damaged_stops_no_build_and_its_messages_are_made_once_it_is_whole(
    own_demo: Settings,
) -> None:
    next_week = publish_again(own_demo, timedelta(weeks=1))
    verdicts = own_demo.layout.published / "current" / "parquet" / "verdicts" / "fct_target_verdicts.parquet"
    whole = verdicts.read_bytes()
    verdicts.unlink()
    verdicts.write_bytes(whole[:100])
    assert fill_outbox(next_week, NOW) == 0
    with State(own_demo.layout.state) as state:
        (noted,) = state.failures(None)
    assert noted.job == "outbox"
    verdicts.write_bytes(whole)
    assert fill_outbox(next_week, NOW) > 0


def test_recipients_that_cannot_be_read_keep_no_message_from_being_made(own_demo: Settings, tmp_path: Path) -> None:
    next_week = publish_again(own_demo, timedelta(weeks=1))
    unreadable = next_week.model_copy(update={"recipients": tmp_path / "weg.csv"})
    assert fill_outbox(unreadable, NOW) > 0


def test_what_waits_is_tried_when_it_is_new_and_then_every_five_minutes(own_demo: Settings) -> None:
    count = len(waiting(own_demo))
    assert waiting_messages(own_demo, NOW) == count
    send(by_smtp(own_demo, free_port()), NOW)
    assert waiting_messages(own_demo, NOW + timedelta(minutes=4)) == 0
    assert waiting_messages(own_demo, NOW + timedelta(minutes=6)) == count


def test_a_profile_without_a_state_has_no_messages(tmp_path: Path) -> None:
    assert waiting_messages(settings_in(tmp_path / "var", {}), NOW) == 0
