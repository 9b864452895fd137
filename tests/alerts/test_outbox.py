import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestration.alerts import outbox
from orchestration.alerts.channels import Channel, EmlFolder
from orchestration.alerts.digest import Digest
from orchestration.alerts.outbox import SendResult, Undelivered, fill
from orchestration.alerts.recipients import Recipients
from orchestration.alerts.smtp import Encryption, Login, Smtp
from tests.alerts.servers import Post, free_port, only, server_side, serving, write_certificate
from warehouse.state import OutboxMessage, State

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
MOBILITY_ID = "<digest.kortrijk.mobiliteit.2026-W48@kortrijk.example>"


def _nobody_is_told(lost: Undelivered) -> OutboxMessage:
    raise AssertionError(f"told of {lost.line} before the third time")


def send(state: State, channel: Channel, now: datetime) -> SendResult:
    return outbox.send(state, channel, now, _nobody_is_told)


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Post, int]]]:
    with ExitStack() as servers:

        def start(post: Post | None = None, **options: object) -> tuple[Post, int]:
            post = post or Post(to_recipients={"weg@stad.test": ["550 5.1.1 onbekende ontvanger"] * 9})
            return post, servers.enter_context(serving(post, **options))

        yield start


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state.sqlite") as state:
        yield state


@pytest.fixture(scope="module")
def two_mails(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> list[tuple[Digest, EmailMessage]]:
    mobility, housing = told({}, {"target_id": "renovations", "department_id": "wonen"})
    return [(mobility, mail_of(mobility, "hoofd@stad.test")), (housing, mail_of(housing, "weg@stad.test"))]


def test_filling_twice_keeps_one_message_per_department_and_week(
    state: State, two_mails: list[tuple[Digest, EmailMessage]]
) -> None:
    assert fill(state, two_mails) == 2
    assert fill(state, two_mails) == 0
    assert [row.message_key for row in state.unsent()] == ["kortrijk:mobiliteit:2026-W48", "kortrijk:wonen:2026-W48"]


def test_a_message_that_was_sent_is_not_filled_again_by_a_later_build(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], tmp_path: Path
) -> None:
    fill(state, two_mails)
    send(state, EmlFolder(tmp_path / "mail"), NOW)
    assert fill(state, two_mails) == 0
    assert send(state, EmlFolder(tmp_path / "mail"), NOW) == SendResult(0, 0)


def test_the_folder_gets_one_readable_file_per_message(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], tmp_path: Path
) -> None:
    fill(state, two_mails)
    assert send(state, EmlFolder(tmp_path / "mail"), NOW) == SendResult(2, 0)
    assert sorted(path.name for path in (tmp_path / "mail").iterdir()) == [
        "2026-W48-mobiliteit.eml",
        "2026-W48-wonen.eml",
    ]
    mail = message_from_bytes((tmp_path / "mail" / "2026-W48-mobiliteit.eml").read_bytes(), policy=policy.default)
    assert mail["Message-ID"] == MOBILITY_ID


def test_a_folder_that_cannot_be_written_keeps_the_messages_waiting(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], tmp_path: Path
) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    fill(state, two_mails)
    assert send(state, EmlFolder(tmp_path / "mail"), NOW) == SendResult(0, 2)
    assert "2026-W48-mobiliteit.eml cannot be written" in state.unsent()[0].last_error


def test_a_refused_recipient_waits_with_the_answer_while_the_others_go_out(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], serve: Callable[..., tuple[Post, int]]
) -> None:
    server, port = serve()
    fill(state, two_mails)
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW) == SendResult(1, 1)
    ((recipients, mail),) = server.got
    assert recipients == ["hoofd@stad.test"]
    assert mail["Subject"].endswith("1 doelstelling achter op schema – afdeling Mobiliteit")
    (waiting,) = state.unsent()
    assert (waiting.department_id, waiting.attempts) == ("wonen", 1)
    assert "550 5.1.1 onbekende ontvanger" in waiting.last_error


def test_what_arrives_over_smtp_is_what_was_stored(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], serve: Callable[..., tuple[Post, int]]
) -> None:
    server, port = serve()
    fill(state, two_mails[:1])
    stored = message_from_bytes(state.unsent()[0].message, policy=policy.default)
    send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW)
    (_, arrived) = server.got[0]
    for kind in ("plain", "html"):
        assert arrived.get_body((kind,)).get_content() == stored.get_body((kind,)).get_content()
    assert arrived["Content-Language"] == "nl-BE"


def test_a_server_that_is_not_there_leaves_the_message_for_the_next_time(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], serve: Callable[..., tuple[Post, int]]
) -> None:
    fill(state, two_mails[:1])
    assert send(state, Smtp("127.0.0.1", free_port(), encryption=Encryption.NONE), NOW) == SendResult(0, 1)
    server, port = serve()
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW + timedelta(minutes=5)) == SendResult(
        1, 0
    )
    assert len(server.got) == 1
    assert state.unsent() == []


def test_a_department_without_an_address_is_held_until_the_city_gives_one(
    state: State,
    told: Callable[..., list[Digest]],
    mail_of: Callable[..., EmailMessage],
    serve: Callable[..., tuple[Post, int]],
) -> None:
    (digest,) = told({})
    fill(state, [(digest, mail_of(digest))])
    server, port = serve()
    nobody = Recipients({}, "kortrijk")
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE, recipients=nobody), NOW) == SendResult(0, 1)
    assert state.unsent()[0].last_error.startswith("held: no mail address for department mobiliteit; add")
    somebody = Recipients({"mobiliteit": "hoofd@stad.test"}, "kortrijk")
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE, recipients=somebody), NOW) == SendResult(
        1, 0
    )
    ((recipients, mail),) = server.got
    assert (recipients, mail["To"], mail["Message-ID"]) == (["hoofd@stad.test"], "hoofd@stad.test", MOBILITY_ID)
    assert mail["Subject"] == mail_of(digest)["Subject"]


@pytest.mark.parametrize("goodbye", ["221 Bye", "250 OK", "421 4.4.2 timeout", "500 what?", None])
def test_mail_quit_answered_in_any_way_sends_no_accepted_message_again(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], serve: Callable[..., tuple[Post, int]], goodbye: str
) -> None:
    server, port = serve(Post(goodbye=goodbye))
    fill(state, two_mails[:1])
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW) == SendResult(1, 0)
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW) == SendResult(0, 0)
    assert len(server.got) == 1


def test_a_message_that_breaks_in_an_unforeseen_way_waits_and_the_next_one_leaves(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], serve: Callable[..., tuple[Post, int]]
) -> None:
    server, port = serve()
    fill(state, two_mails[:1])
    (row,) = state.unsent()
    # no line ends a header that never began: nothing of it can be sent
    torn = replace(row, message_key="a:torn", department_id="zorg", message=b"\xff")
    state.enqueue([torn])
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW) == SendResult(1, 1)
    assert len(server.got) == 1
    (waiting,) = state.unsent()
    assert waiting.message_key == "a:torn"
    assert (waiting.last_error or "").startswith("not delivered: ")


def test_an_address_that_the_server_repeats_is_kept_nowhere(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], serve: Callable[..., tuple[Post, int]]
) -> None:
    server, port = serve()
    server.to_recipients["weg@stad.test"] = ["550 5.1.1 <weg@stad.test>: Recipient address rejected"]
    fill(state, two_mails[1:])
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW) == SendResult(0, 1)
    (waiting,) = state.unsent()
    assert "Recipient address rejected" in (waiting.last_error or "")
    assert "weg@" not in (waiting.last_error or "")


CRASH = """
import sys
from datetime import datetime, UTC
from pathlib import Path
import os, signal
from orchestration.alerts.outbox import send
from orchestration.alerts.smtp import Encryption, Smtp
from warehouse.state import State

class DiesBeforeMarking(State):
    def mark_sent(self, message_key, at):
        os.kill(os.getpid(), signal.SIGKILL)

channel = Smtp("127.0.0.1", int(sys.argv[2]), encryption=Encryption.NONE)
send(DiesBeforeMarking(Path(sys.argv[1])), channel, datetime.now(UTC), lambda lost: None)
"""


def test_a_crash_between_delivery_and_the_mark_repeats_the_same_message_id_and_loses_nothing(
    state: State,
    two_mails: list[tuple[Digest, EmailMessage]],
    serve: Callable[..., tuple[Post, int]],
    tmp_path: Path,
) -> None:
    server, port = serve()
    fill(state, two_mails[:1])
    died = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path / "state.sqlite"), str(port)],
        check=False,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert send(state, Smtp("127.0.0.1", port, encryption=Encryption.NONE), NOW) == SendResult(1, 0)
    assert [mail["Message-ID"] for _, mail in server.got] == [MOBILITY_ID, MOBILITY_ID]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the loopback address, trusted by nobody but this test."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


def test_starttls_and_a_login_deliver_to_a_server_that_demands_both(
    state: State,
    two_mails: list[tuple[Digest, EmailMessage]],
    serve: Callable[..., tuple[Post, int]],
    certificate: Path,
) -> None:
    server, port = serve(
        tls_context=server_side(certificate),
        require_starttls=True,
        auth_required=True,
        authenticator=only("databord", "geheim"),
    )
    fill(state, two_mails[:1])
    right = Smtp("127.0.0.1", port, Login("databord", SecretStr("geheim")), authority=certificate)
    wrong = Smtp("127.0.0.1", port, Login("databord", SecretStr("f0ut-wachtwoord")), authority=certificate)
    assert send(state, wrong, NOW) == SendResult(0, 1)
    assert "answered 535" in state.unsent()[0].last_error
    assert "f0ut" not in state.unsent()[0].last_error + repr(wrong)
    assert send(state, right, NOW) == SendResult(1, 0)
    assert len(server.got) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(
    state: State,
    two_mails: list[tuple[Digest, EmailMessage]],
    serve: Callable[..., tuple[Post, int]],
    certificate: Path,
) -> None:
    server, port = serve(tls_context=server_side(certificate))
    fill(state, two_mails[:1])
    assert send(state, Smtp("127.0.0.1", port), NOW) == SendResult(0, 1)
    assert "certificate" in state.unsent()[0].last_error.lower()
    assert server.got == []


def test_a_password_never_goes_over_an_open_line(
    state: State, two_mails: list[tuple[Digest, EmailMessage]], serve: Callable[..., tuple[Post, int]]
) -> None:
    server, port = serve()
    fill(state, two_mails[:1])
    channel = Smtp("127.0.0.1", port, Login("databord", SecretStr("geheim")), Encryption.NONE)
    assert send(state, channel, NOW) == SendResult(0, 1)
    assert "never sent unencrypted" in state.unsent()[0].last_error
    assert server.got == []
