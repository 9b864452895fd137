"""From the outbox to people by the doors a person uses: settings, command line, a real mail server and a real flow."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from orchestration.loop.build import build_lock
from orchestration.loop.messages import fill_data_team, send, unsent, waiting_messages
from orchestration.loop.publishing import publish
from orchestration.loop.telling import fill_outbox
from orchestration.report import published_frame
from orchestration.settings import Settings
from tests.alerts.servers import (
    MAILBOX,
    SECRET,
    TOKEN,
    Flow,
    OfficePost,
    Post,
    flowing,
    free_port,
    granting,
    refusing,
    server_side,
    serving,
    write_certificate,
)
from tests.canary.scanning import found_in
from tests.orchestration.profiles import NOW, settings_in
from tests.orchestration.test_cli import Run, own_logger, run, said  # noqa: F401 - fixtures of the command line
from tests.orchestration.test_messages import publish_again
from warehouse.state import OutboxMessage, State

TEAM = "data@stad.test"
MINUTE = timedelta(minutes=1)


def a_mail(key: str, department: str) -> OutboxMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = MAILBOX, f"{department}@kortrijk.example", "doelstellingen"
    mail["Message-ID"] = f"<{key}@stad.test>"
    mail.set_content("tekst")
    return OutboxMessage(key, department, "2026-W48", "b", "doelstellingen", mail.as_bytes(), NOW)


@pytest.fixture
def profile(empty_profile: Callable[..., Settings], tmp_path: Path) -> Callable[..., Settings]:
    """A profile with two departments that read mail on a server of that port, and with what a test adds."""

    def make(port: int, **more: str) -> Settings:
        (tmp_path / "readers.csv").write_text(
            "department_id,email\nwonen,wonen@stad.test\nmobiliteit,mobiliteit@stad.test\n", encoding="utf-8"
        )
        return empty_profile(
            ADEMRUIMTE_SMTP_HOST="127.0.0.1",
            ADEMRUIMTE_SMTP_PORT=str(port),
            **{
                "ADEMRUIMTE_SMTP_STARTTLS": "0",
                "ADEMRUIMTE_SENDER": MAILBOX,
                "ADEMRUIMTE_DATA_TEAM": TEAM,
                "ADEMRUIMTE_RECIPIENTS": str(tmp_path / "readers.csv"),
            }
            | more,
        )

    return make


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def put(settings: Settings, *rows: OutboxMessage) -> None:
    with State(settings.layout.state) as state:
        state.enqueue(rows)


def hooks(path: Path, **urls: str) -> str:
    path.write_text("department_id;url\n" + "".join(f"{name};{url}\n" for name, url in urls.items()), encoding="utf-8")
    return str(path)


def files(settings: Settings) -> list[EmailMessage]:
    return [
        message_from_bytes(path.read_bytes(), EmailMessage, policy=policy.default)
        for path in sorted(settings.layout.mail.iterdir())
    ]


def test_a_mail_server_down_for_an_hour_gets_every_message_once_and_the_data_team_heard_meanwhile(
    profile: Callable[..., Settings], servers: ExitStack
) -> None:
    port = free_port()
    settings = profile(port)
    put(settings, a_mail("k1", "wonen"), a_mail("k2", "mobiliteit"))
    tries = 0
    for minute in range(0, 60, 5):
        if waiting_messages(settings, NOW + minute * MINUTE):
            assert send(settings, NOW + minute * MINUTE).sent <= 1, "only the notice, into the folder"
            tries += 1
    assert tries > 3
    (notice,) = files(settings)
    assert notice["Subject"] == "Ademruimte kortrijk: 2 messages do not arrive (mail)"
    body = notice.get_body(("plain",))
    assert body is not None
    text = " ".join(str(body.get_content()).split())
    assert f"mail server 127.0.0.1:{port} could not be used" in text
    assert "Nothing is lost" in text
    assert [part.get_filename() for part in notice.iter_attachments()] == [
        "2026-W48-wonen.eml",
        "2026-W48-mobiliteit.eml",
    ]
    post = Post()
    servers.enter_context(serving(post, port))
    assert send(settings, NOW + 61 * MINUTE) == (2, 0)
    assert sorted(post.ids) == ["<k1@stad.test>", "<k2@stad.test>"]
    assert send(settings, NOW + 62 * MINUTE) == (0, 0)


def test_a_mail_server_that_is_down_is_told_to_the_data_team_in_teams_where_it_has_a_flow(
    profile: Callable[..., Settings], servers: ExitStack, tmp_path: Path
) -> None:
    flow = Flow()
    url = servers.enter_context(flowing(flow))
    settings = profile(free_port(), ADEMRUIMTE_TEAMS=hooks(tmp_path / "teams.csv", data_team=url))
    put(settings, a_mail("k1", "wonen"))
    for time in range(4):
        send(settings, NOW + time * MINUTE)
    (sent,) = flow.cards()
    assert "1 message does not arrive (mail)" in str(sent)
    assert "wonen@" not in str(sent)


def test_a_flow_that_is_gone_is_told_to_the_data_team_by_mail_and_the_mail_of_the_department_arrives(
    profile: Callable[..., Settings], servers: ExitStack, tmp_path: Path
) -> None:
    post = Post()
    url = servers.enter_context(flowing(Flow([(404, {}, b"")])))
    settings = profile(servers.enter_context(serving(post)), ADEMRUIMTE_TEAMS=hooks(tmp_path / "teams.csv", wonen=url))
    card = OutboxMessage("k1:teams", "wonen", "2026-W48", "b", "s", b'{"type":"AdaptiveCard"}', NOW, channel="teams")
    put(settings, a_mail("k1", "wonen"), card)
    for time in range(5):
        send(settings, NOW + time * MINUTE)
    ((first, _), (second, notice)) = post.got
    assert (first, second) == (["wonen@stad.test"], [TEAM])
    assert notice["Subject"] == "Ademruimte kortrijk: 1 message does not arrive (teams:wonen)"
    assert "often because its owner left" in " ".join(notice.get_content().split())
    assert "GEHEIM" not in notice.as_string()
    fill_data_team(settings, NOW + 6 * MINUTE)
    (daily,) = [row for row in unsent(settings, NOW) if row.department_id == "data_team"]
    assert daily.message_key == "kortrijk:data_team:2026-11-23", "a notice is not the mail of the day"
    assert b"teams:wonen: nothing left since" in daily.message


def test_an_address_that_nobody_has_is_given_up_shown_and_released_by_hand(
    profile: Callable[..., Settings],
    servers: ExitStack,
    run: Run,  # noqa: F811 - the fixture
) -> None:
    post = Post(to_recipients={"wonen@stad.test": ["550 5.1.1 user unknown"] * 3})
    settings = profile(servers.enter_context(serving(post)))
    put(settings, a_mail("k1", "wonen"), a_mail("k2", "mobiliteit"))
    for time in range(4):
        send(settings, NOW + time * MINUTE)
    assert [to for to, _ in post.got] == [["mobiliteit@stad.test"], [TEAM]]
    notice = post.got[-1][1]
    assert [part.get_filename() for part in notice.iter_attachments()] == ["2026-W48-wonen.eml"]
    listed = said(run(settings, "outbox", "list"))
    assert "k1 doelstellingen (given up: mail server" in listed
    assert "correct it in the file with recipients" in listed
    assert "1 given up" in listed
    assert run(settings, "outbox", "release", "k3").exit_code == 2
    assert "released: 1 messages may leave" in run(settings, "outbox", "release", "k1").output
    assert "1 messages sent, 0 failed" in run(settings, "send").output
    assert post.got[-1][0] == ["wonen@stad.test"]
    assert run(settings, "outbox", "close", "k1", "told by phone").exit_code == 2


def test_a_letter_that_was_given_up_is_in_the_mail_of_every_day_until_it_is_closed(
    profile: Callable[..., Settings],
    servers: ExitStack,
    run: Run,  # noqa: F811 - the fixture
) -> None:
    post = Post(to_recipients={"wonen@stad.test": ["550 5.1.1 user unknown"] * 3})
    settings = profile(servers.enter_context(serving(post)))
    put(settings, a_mail("k1", "wonen"))
    for time in range(4):
        send(settings, NOW + time * MINUTE)
    for day in range(1, 3):
        assert fill_data_team(settings, NOW + timedelta(days=day)) == 1
    assert "closed: k1" in run(settings, "outbox", "close", "k1", "told by phone").output
    assert fill_data_team(settings, NOW + timedelta(days=3)) == 0


def test_a_department_with_a_flow_gets_the_digest_of_a_build_as_a_card_too_once(
    own_demo: Settings, servers: ExitStack, tmp_path: Path
) -> None:
    flow = Flow()
    url = servers.enter_context(flowing(flow))
    with State(own_demo.layout.state) as state:
        first = next(each for each in state.alerts() if each.reason == "behind" and each.outcome == "told")
    teams = Path(hooks(tmp_path / "teams.csv", **{first.department_id: url}))
    settings = publish_again(own_demo.model_copy(update={"teams": teams}), timedelta(weeks=1))
    assert fill_outbox(settings, NOW) > 0
    assert fill_outbox(settings, NOW) == 0
    send(settings, NOW)
    assert flow.keys == [f"kortrijk:{first.department_id}:2026-W49:teams"]
    assert "nog altijd niet in orde" in str(flow.cards()[0])


def test_what_was_decided_of_every_target_is_noted_with_the_message_and_silence_has_a_reason(demo: Settings) -> None:
    with State(demo.layout.state) as state:
        alerts, told = state.alerts(), {row.message_key for row in state.unsent()}
    assert {each.message_key for each in alerts if each.outcome == "told"} == told
    silent = [each for each in alerts if each.outcome == "silent"]
    assert {each.message_key for each in silent} == {None}
    assert {each.target_id for each in alerts} == {*published_frame(demo, "verdicts.fct_target_verdicts")["target_id"]}
    assert {each.reason for each in silent} >= {"nothing_wrong", "data_in_doubt"}
    late = [each for each in alerts if each.department_id and each.status in {"behind", "overdue"}]
    assert {each.reason for each in late if each.outcome == "silent"} <= {"same_story", "disputed"}
    assert any(each.outcome == "told" for each in late)


def test_another_build_that_decides_the_same_adds_no_row_and_one_that_decides_otherwise_does(
    own_demo: Settings,
) -> None:
    with State(own_demo.layout.state) as state:
        before = state.alerts()
    fill_outbox(publish_again(own_demo, timedelta(days=1)), NOW)
    with State(own_demo.layout.state) as state:
        after = state.alerts()
    told = [each for each in before if each.outcome == "told"]
    fresh = after[len(before) :]
    assert {(each.target_id, each.outcome, each.reason) for each in fresh} == {
        (each.target_id, "silent", "asked_lately" if each.topic == "figure" else "unchanged") for each in told
    }
    assert {each.message_key for each in fresh} == {None}
    unchanged = [each for each in after[: len(before)] if each.outcome == "silent"]
    assert {each.builds for each in unchanged} == {2}


# --- the log of silence, and a look ahead --------------------------------------------------------------------------


def test_every_silence_is_explained_by_one_command(
    own_demo: Settings,
    run: Run,  # noqa: F811 - the fixture
) -> None:
    with State(own_demo.layout.state) as state:
        silent = [each for each in state.alerts() if each.outcome == "silent"]
        told = next(each for each in state.alerts() if each.outcome == "told")
    for each in silent[:20]:
        line = run(own_demo, "alerts", "log", "--target", each.target_id).output
        assert f"{each.target_id}  {each.status}: silent, " in line
    waits = run(own_demo, "alerts", "log", "--target", told.target_id, "--department", told.department_id)
    assert f"{told.department_id}  {told.target_id}  {told.status}: waits, " in waits.output
    assert "not tried yet" in waits.output
    send(own_demo, NOW)
    sent = run(own_demo, "alerts", "log", "--target", told.target_id, "--department", told.department_id).output
    assert "sent on 2026-11-23 06:00 UTC" in sent


def test_a_look_ahead_shows_the_messages_of_tomorrow_and_the_silent_with_why_and_writes_nothing(
    own_demo: Settings,
    run: Run,  # noqa: F811 - the fixture
) -> None:
    with State(own_demo.layout.state) as state:
        before = state.unsent(), state.alerts()
    ahead = run(own_demo, "alerts", "preview", "--all")
    assert ahead.exit_code == 0
    assert "0 messages; " in ahead.output, "tomorrow is of this week, which was told"
    assert "told already, and judged the same since" in ahead.output
    assert "there are no data yet" in ahead.output
    nothing_said = {**own_demo.environment, "ADEMRUIMTE_AS_OF": "2026-11-29"}
    monday = run(own_demo, "alerts", "preview", **nothing_said)
    late = {each.department_id for each in before[1] if each.level == "late"}
    assert f"{len(late)} messages; " in monday.output
    assert "nog altijd niet in orde" in monday.output
    with State(own_demo.layout.state) as state:
        assert (state.unsent(), state.alerts()) == before


def test_a_look_ahead_without_a_build_says_what_to_do(
    run: Run,  # noqa: F811 - the fixture
    empty_profile: Callable[..., Settings],
) -> None:
    assert "run `ademruimte build`" in said(run(empty_profile(), "alerts", "preview"))


# --- ademruimte alerts test-send, as a process ---------------------------------------------------------------------


def typed(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *words],
        env={**os.environ, **settings.environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        capture_output=True,
        text=True,
        cwd=settings.layout.root,
        timeout=60,
    )


def test_a_test_message_proves_mail_by_token_and_teams_through_the_door(
    profile: Callable[..., Settings], servers: ExitStack, tmp_path: Path
) -> None:
    certificate = write_certificate(tmp_path / "ca.pem")
    post, flow = OfficePost(), Flow()
    port = servers.enter_context(
        serving(post, tls_context=server_side(certificate), require_starttls=True, auth_required=True)
    )
    settings = profile(
        port,
        ADEMRUIMTE_SMTP_STARTTLS="1",
        ADEMRUIMTE_SMTP_CA_FILE=str(certificate),
        ADEMRUIMTE_SMTP_USERNAME=MAILBOX,
        ADEMRUIMTE_SMTP_CLIENT_ID="de-toepassing",
        ADEMRUIMTE_SMTP_CLIENT_SECRET=SECRET,
        ADEMRUIMTE_SMTP_TOKEN_URL=servers.enter_context(flowing(granting())),
        ADEMRUIMTE_TEAMS=hooks(tmp_path / "teams.csv", data_team=servers.enter_context(flowing(flow))),
    )
    done = typed(settings, "alerts", "test-send")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"mail: taken by 127.0.0.1:{port} for data_team" in done.stdout
    assert "teams: taken by the flow of data_team" in done.stdout
    ((to, mail),) = post.got
    assert (to, mail["Subject"]) == ([TEAM], "Ademruimte kortrijk: test")
    assert len(flow.got) == 1
    assert not settings.layout.state.exists(), "a test is no message of the outbox"
    for secret in (SECRET, TOKEN, "GEHEIM", TEAM):
        assert secret not in done.stdout


def test_a_test_message_names_the_fault_of_each_way_and_ends_with_one(
    profile: Callable[..., Settings],
    servers: ExitStack,
    tmp_path: Path,
    run: Run,  # noqa: F811 - the fixture
) -> None:
    certificate = write_certificate(tmp_path / "ca.pem")
    port = servers.enter_context(serving(OfficePost(), tls_context=server_side(certificate), auth_required=True))
    expired = f"AADSTS7000222: The provided client secret keys are expired {SECRET}"
    settings = profile(
        port,
        ADEMRUIMTE_SMTP_STARTTLS="1",
        ADEMRUIMTE_SMTP_CA_FILE=str(certificate),
        ADEMRUIMTE_SMTP_USERNAME=MAILBOX,
        ADEMRUIMTE_SMTP_CLIENT_ID="de-toepassing",
        ADEMRUIMTE_SMTP_CLIENT_SECRET=SECRET,
        ADEMRUIMTE_SMTP_TOKEN_URL=servers.enter_context(flowing(refusing(expired))),
        ADEMRUIMTE_TEAMS=hooks(
            tmp_path / "teams.csv", data_team=servers.enter_context(flowing(Flow([(401, {}, b"")]))), wonen="http://x.y"
        ),
    )
    done = run(settings, "alerts", "test-send")
    assert done.exit_code == 1
    assert "the client secret has expired: make a new one" in said(done)
    assert "the signature in the address is wrong or was renewed" in said(done)
    assert "line 3 holds no https address" in said(done)
    for secret in (SECRET, "GEHEIM"):
        assert secret not in done.output


def test_no_secret_is_left_where_every_way_and_the_database_fail_and_repeat_what_they_were_sent(
    own_demo: Settings, servers: ExitStack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = write_certificate(tmp_path / "ca.pem")
    port = servers.enter_context(serving(OfficePost(), tls_context=server_side(certificate), auth_required=True))
    url = servers.enter_context(flowing(Flow([(401, {"X-Echo": "GEHEIM-3"}, b"GEHEIM-2 is no signature")])))
    with State(own_demo.layout.state) as state:
        departments = {row.department_id for row in state.unsent()}
    settings = settings_in(
        own_demo.layout.root.parent,
        {},
        ADEMRUIMTE_POSTGRES_URL=f"postgresql://publisher:{SECRET}@127.0.0.1:{free_port()}/marts",
        ADEMRUIMTE_SMTP_HOST="127.0.0.1",
        ADEMRUIMTE_SMTP_PORT=str(port),
        ADEMRUIMTE_SMTP_CA_FILE=str(certificate),
        ADEMRUIMTE_SMTP_USERNAME=MAILBOX,
        ADEMRUIMTE_SMTP_CLIENT_ID="de-toepassing",
        ADEMRUIMTE_SMTP_CLIENT_SECRET=SECRET,
        ADEMRUIMTE_SMTP_TOKEN_URL=servers.enter_context(flowing(refusing(f"AADSTS7000215: {SECRET} is not it"))),
        ADEMRUIMTE_DATA_TEAM=TEAM,
        ADEMRUIMTE_TEAMS=hooks(tmp_path / "teams.csv", **dict.fromkeys(sorted(departments), url)),
    )
    with build_lock(settings):
        _, faults = publish(settings, NOW)
    assert fill_outbox(publish_again(settings, timedelta(weeks=1)), NOW) > 0
    failed = sum(send(settings, NOW + tries * MINUTE).failed for tries in range(5))
    assert fill_data_team(settings, NOW + 6 * MINUTE) == 1
    proved = typed(settings, "alerts", "test-send")
    assert (len(faults), failed > 0, proved.returncode) == (1, True, 1)
    told = tmp_path / "told.txt"
    listed = typed(settings, "outbox", "list")
    told.write_text("".join([caplog.text, *faults, *(each.stdout + each.stderr for each in (proved, listed))]))
    assert "AADSTS7000215" in told.read_text() or "client secret" in told.read_text()
    left = [settings.layout.mail, *settings.layout.root.glob("state.sqlite*"), told]
    assert found_in(left, (SECRET, "GEHEIM")) == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"ADEMRUIMTE_SMTP_CLIENT_ID": "de-toepassing"}, "an application that sends needs four settings"),
        ({"ADEMRUIMTE_SMTP_STARTTLS": "1"}, "Only for a relay within the city's own network"),
    ],
)
def test_settings_that_contradict_each_other_are_told_and_stop_no_other_command(
    profile: Callable[..., Settings],
    servers: ExitStack,
    run: Run,  # noqa: F811 - the fixture
    more: dict[str, str],
    says: str,
) -> None:
    settings = profile(servers.enter_context(serving(Post())), **more)
    done = run(settings, "alerts", "test-send", "--channel", "mail")
    assert (done.exit_code, says in said(done)) == (1, True)
    assert run(settings, "outbox", "list").exit_code == 0


def test_without_a_mail_server_a_test_says_where_messages_lie(
    run: Run,  # noqa: F811 - the fixture
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    done = run(settings, "alerts", "test-send")
    assert done.exit_code == 0
    assert "no mail server is set" in said(done)
    assert len(files(settings)) == 1
    assert run(settings, "alerts", "test-send", "--channel", "fax").exit_code == 2
