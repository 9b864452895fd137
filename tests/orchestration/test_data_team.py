"""Somebody hears: one mail a day on what went wrong, in English, on one screen, and none when all went well."""

import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import polars as pl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from orchestration.loop.landed import Outcome
from orchestration.loop.landing import land
from orchestration.loop.messages import fill_data_team, send, unsent
from orchestration.loop.run_failures import note_run_failure
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from warehouse.lake import Lake
from warehouse.state import OutboxMessage, State

DAY = timedelta(days=1)
TEAM = "data@stad.test"
HEADER = "kpi_id;area;ref_date;value;unit;source;published_at;uncertainty\n"
BAD_ROW = "trees_extra;34022;gisteren;veel;trees (additional);groen;2026-11-05;\n"


def drop(settings: Settings, name: str, content: str) -> None:
    path = settings.layout.drop("indicators") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.with_name(f"{name}.ready").write_text(NOW.isoformat(), encoding="utf-8")


def the_mail(settings: Settings) -> EmailMessage:
    (row,) = [row for row in unsent(settings, NOW) if row.department_id == "data_team"]
    return message_from_bytes(row.message, EmailMessage, policy=policy.default)


def body(mail: EmailMessage) -> str:
    return str(mail.get_content())


@pytest.fixture
def settings(empty_profile: Callable[..., Settings]) -> Settings:
    return empty_profile()


@pytest.fixture
def post() -> Iterator[tuple[list[tuple[list[str], EmailMessage]], int]]:
    got: list[tuple[list[str], EmailMessage]] = []

    class Post:
        # aiosmtpd looks its hooks up by this name.
        async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
            got.append((envelope.rcpt_tos, message_from_bytes(envelope.content, EmailMessage, policy=policy.default)))
            return "250 OK"

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    controller = Controller(Post(), hostname="127.0.0.1", port=port)
    controller.start()
    yield got, port
    controller.stop()


def test_when_all_went_well_nobody_is_written_to(settings: Settings) -> None:
    drop(settings, "goed.csv", f"{HEADER}trees_extra;34022;2026-10-31;17600;trees (additional);groen;2026-11-05;\n")
    (landed,) = land(settings, settings.contracts()["indicators"], NOW)
    assert landed.outcome is Outcome.LANDED
    assert fill_data_team(settings, NOW) == 0
    assert unsent(settings, NOW) == []


def test_failed_runs_refused_files_pulls_and_deliveries_silent_sources_and_stuck_messages_are_told(
    settings: Settings,
) -> None:
    note_run_failure(settings, "build", "run-1", "dbt nodes failed: kpi_trees", NOW)
    drop(settings, "geen.csv", "a;b\n1;2\n")
    drop(settings, "slecht.csv", HEADER + BAD_ROW)
    land(settings, settings.contracts()["indicators"], NOW)
    # no address is set for it
    land(settings, settings.contracts()["charge_points"], NOW)
    with State(settings.layout.state) as state:
        state.asked("energy_meters", None, NOW - 365 * DAY, None)
        state.enqueue([OutboxMessage("kortrijk:wonen:2026-W48", "wonen", "2026-W48", "b", "s", b"x", NOW)])
        state.mark_failed("kortrijk:wonen:2026-W48", "held: no mail address for department wonen", NOW)
    assert fill_data_team(settings, NOW) == 1
    mail = the_mail(settings)
    assert mail["Subject"] == (
        "Ademruimte kortrijk: 1 failed run, 3 refused deliveries, 1 silent source, 1 message that could not leave"
    )
    for words in (
        "2026-11-23 06:00 UTC build: dbt nodes failed: kpi_trees",
        "indicators: geen.csv",
        "slecht.csv: every row was refused",
        "charge_points: no address to pull from",
        "energy_meters: last heard on 2025-11-23 06:00 UTC",
        "kortrijk:wonen:2026-W48: held: no mail address",
    ):
        assert words in body(mail)


@pytest.mark.parametrize(
    ("clock", "told"), [([NOW - DAY, NOW + 365 * DAY], True), ([NOW, NOW - DAY], True), ([NOW], False)]
)
def test_a_clock_that_jumped_is_told(settings: Settings, clock: list[datetime], told: bool) -> None:  # noqa: FBT001
    lake = Lake(settings.layout.lake)
    for number, moment in enumerate(clock):
        lake.commit_decisions(f"b{number}", pl.DataFrame({"target_id": ["trees"]}), {}, moment)
    assert fill_data_team(settings, NOW) == told
    if told:
        assert the_mail(settings)["Subject"].endswith(": 1 wrong clock")
        assert "set the clock of its machine right; nothing was lost" in " ".join(body(the_mail(settings)).split())


def test_there_is_one_mail_a_day_and_a_failed_run_is_told_in_one_of_them(settings: Settings) -> None:
    note_run_failure(settings, "build", "run-1", "first", NOW)
    assert fill_data_team(settings, NOW) == 1
    note_run_failure(settings, "build", "run-2", "second", NOW + DAY / 24)
    assert fill_data_team(settings, NOW + DAY / 24) == 0
    send(settings, NOW)
    assert fill_data_team(settings, NOW + DAY) == 1
    assert "second" in body(the_mail(settings))
    assert "first" not in body(the_mail(settings))
    send(settings, NOW + DAY)
    assert fill_data_team(settings, NOW + 2 * DAY) == 0


def test_a_refusal_that_failed_its_run_is_told_once(settings: Settings) -> None:
    drop(settings, "geen.csv", "a;b\n1;2\n")
    (refused,) = land(settings, settings.contracts()["indicators"], NOW)
    note_run_failure(settings, "land_indicators", "run-1", refused.message, NOW)
    fill_data_team(settings, NOW)
    assert the_mail(settings)["Subject"].endswith(": 1 refused delivery")


def test_the_worst_of_days_fits_a_terminal(settings: Settings) -> None:
    for number in range(40):
        note_run_failure(settings, "build", f"run-{number}", "a long reason " * 40, NOW)
        drop(settings, f"geen-{number}.csv", "a;b\n1;2\n")
    land(settings, settings.contracts()["indicators"], NOW)
    with State(settings.layout.state) as state:
        for source in settings.contracts():
            state.asked(source, None, NOW - 365 * DAY, None)
        rows = [OutboxMessage(f"k{n}", "wonen", "2026-W48", "b", "s", b"x", NOW) for n in range(40)]
        state.enqueue(rows)
        for row in rows:
            state.mark_failed(row.message_key, "held: " + "because " * 40, NOW)
    fill_data_team(settings, NOW)
    lines = body(the_mail(settings)).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "  and 38 more" in lines


def test_no_persons_data_stands_in_it(settings: Settings) -> None:
    note_run_failure(settings, "build", "run-1", "refused: an.peeters@stad.test, 0476 12 34 56", NOW)
    drop(settings, "an.peeters@stad.test.csv", "a;b\n1;2\n")
    land(settings, settings.contracts()["indicators"], NOW)
    fill_data_team(settings, NOW)
    mail = the_mail(settings)
    assert "peeters" not in body(mail) + str(mail["Subject"])
    assert "0476" not in body(mail)


def test_the_data_team_gets_it_by_mail_although_the_recipients_of_departments_cannot_be_read(
    settings: Settings, post: tuple[list[tuple[list[str], EmailMessage]], int], tmp_path: Path
) -> None:
    got, port = post
    mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False, "recipients": tmp_path / "weg.csv"}
    note_run_failure(settings, "build", "run-1", "first", NOW)
    told = settings.model_copy(update={**mail, "data_team": TEAM})
    assert fill_data_team(told, NOW) == 1
    assert send(told, NOW) == (1, 0)
    ((recipients, arrived),) = got
    assert (recipients, arrived["To"]) == ([TEAM], TEAM)


def test_without_an_address_it_is_written_as_a_file_also_where_there_is_a_mail_server(
    settings: Settings, post: tuple[list[tuple[list[str], EmailMessage]], int]
) -> None:
    got, port = post
    mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False}
    note_run_failure(settings, "build", "run-1", "first", NOW)
    fill_data_team(settings, NOW)
    assert send(settings.model_copy(update=mail), NOW) == (1, 0)
    assert got == []
    assert [path.name for path in settings.layout.mail.iterdir()] == ["2026-11-23-data_team.eml"]
