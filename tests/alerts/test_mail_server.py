"""Mail by a real server: every way in, many messages in one session, and every refusal in words one can act on."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import SecretStr

from orchestration.alerts.channels import DeliveryError, HeldError, LineBrokenError, RefusedError
from orchestration.alerts.recipients import Recipients
from orchestration.alerts.smtp import Encryption, Login, Smtp
from orchestration.alerts.tokens import Application
from tests.alerts.servers import (
    MAILBOX,
    SECRET,
    OfficePost,
    Post,
    asked_of,
    flowing,
    free_port,
    granting,
    only,
    refusing,
    server_side,
    serving,
    write_certificate,
)
from warehouse.state import OutboxMessage

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TO = "hoofd@stad.test"


def a_message(number: int = 0, to: str = TO) -> OutboxMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Databord <databord@stad.test>", to, f"bericht {number}"
    mail["Message-ID"] = f"<{number}@stad.test>"
    mail.set_content("een bericht")
    return OutboxMessage(f"k{number}", "mobiliteit", "2026-W48", "b", "s", mail.as_bytes(), NOW)


def fault_of(channel: Smtp, row: OutboxMessage | None = None) -> DeliveryError:
    with channel.open() as deliver, pytest.raises(DeliveryError) as caught:
        deliver(row or a_message())
    return caught.value


def plain(port: int) -> Smtp:
    return Smtp("127.0.0.1", port, encryption=Encryption.NONE)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    with ExitStack() as servers:
        yield lambda post, **options: servers.enter_context(serving(post, **options))


@pytest.fixture
def office(serve: Callable[..., int], certificate: Path) -> Callable[..., Smtp]:
    """A channel to a server that wants XOAUTH2, with a token endpoint of one's choosing."""

    def make(post: Post, token_url: str) -> Smtp:
        port = serve(post, tls_context=server_side(certificate), require_starttls=True, auth_required=True)
        account = Application(MAILBOX, token_url, "de-toepassing", SecretStr(SECRET))
        return Smtp("127.0.0.1", port, account, authority=certificate)

    return make


def test_many_messages_go_in_one_session(serve: Callable[..., int]) -> None:
    post = Post()
    with plain(serve(post)).open() as deliver:
        for number in range(20):
            deliver(a_message(number))
    assert (len(post.got), post.sessions) == (20, 1)


def test_no_server_is_called_for_messages_that_have_nowhere_to_go() -> None:
    nobody = Smtp("127.0.0.1", free_port(), recipients=Recipients({}, "kortrijk"))
    assert isinstance(fault_of(nobody), HeldError)


def test_a_session_that_broke_off_between_two_messages_is_begun_again(serve: Callable[..., int]) -> None:
    post = Post()
    with plain(serve(post, timeout=0.2)).open() as deliver:
        deliver(a_message(1))
        time.sleep(0.4)
        deliver(a_message(2))
    assert (post.ids, post.sessions) == (["<1@stad.test>", "<2@stad.test>"], 2)


def test_a_refusal_in_the_middle_leaves_the_session_to_the_others(serve: Callable[..., int]) -> None:
    post = Post(to_recipients={"weg@stad.test": ["550 5.1.1 user unknown"]})
    with plain(serve(post)).open() as deliver:
        deliver(a_message(1))
        with pytest.raises(RefusedError):
            deliver(a_message(2, to="weg@stad.test"))
        deliver(a_message(3))
    assert (post.ids, post.sessions) == (["<1@stad.test>", "<3@stad.test>"], 1)


def test_no_more_leave_in_a_minute_than_the_server_takes(serve: Callable[..., int]) -> None:
    waits: list[float] = []
    post = Post()
    channel = Smtp("127.0.0.1", serve(post), None, Encryption.NONE, per_minute=3, sleep=waits.append)
    with channel.open() as deliver:
        for number in range(4):
            deliver(a_message(number))
    assert len(post.got) == 4
    (wait,) = waits
    assert 50 < wait <= 60


# --- the ways in -------------------------------------------------------------------------------------------------


def test_a_server_that_encrypts_from_the_first_byte_takes_a_message(
    serve: Callable[..., int], certificate: Path
) -> None:
    post = Post()
    port = serve(post, ssl_context=server_side(certificate))
    with Smtp("127.0.0.1", port, encryption=Encryption.TLS, authority=certificate).open() as deliver:
        deliver(a_message())
    assert len(post.got) == 1


def test_an_application_logs_in_with_a_token_and_no_password(office: Callable[..., Smtp]) -> None:
    post, endpoint = OfficePost(), granting()
    with flowing(endpoint) as url, office(post, url).open() as deliver:
        deliver(a_message(1))
        deliver(a_message(2))
    assert len(post.got) == 2
    assert len(endpoint.got) == 1, "one token for a session"
    assert asked_of(endpoint) == {
        "grant_type": "client_credentials",
        "client_id": "de-toepassing",
        "client_secret": SECRET,
        "scope": "https://outlook.office365.com/.default",
    }


def test_a_token_that_the_server_refuses_is_told_with_what_exchange_lacks(office: Callable[..., Smtp]) -> None:
    with flowing(granting("een-ander-token")) as url:
        channel = office(OfficePost(refusal=f"535 5.7.3 Authentication unsuccessful een-ander-token {TO}"), url)
        fault = fault_of(channel)
    assert isinstance(fault, LineBrokenError)
    for words in ("refused the login", "535 5.7.3", "SMTP.SendAsApp", "New-ServicePrincipal", "*enterprise"):
        assert words in str(fault)
    for secret in ("een-ander-token", SECRET, TO):
        assert secret not in str(fault) + repr(channel)


@pytest.mark.parametrize(
    ("description", "says"),
    [
        (f"AADSTS7000215: Invalid client secret provided. {SECRET}", "copy its value, not its id"),
        ("AADSTS7000222: The provided client secret keys for app are expired.", "make a new one"),
        ("AADSTS700016: Application was not found in the directory.", "check ADEMRUIMTE_SMTP_CLIENT_ID"),
        ("AADSTS90002: Tenant not found.", "check ADEMRUIMTE_SMTP_TENANT"),
        ("something new", "invalid_client: check ADEMRUIMTE_SMTP_TENANT, _CLIENT_ID"),
    ],
)
def test_a_token_that_is_not_granted_is_told_with_the_setting_to_change(
    office: Callable[..., Smtp], description: str, says: str
) -> None:
    with flowing(refusing(description)) as url:
        fault = fault_of(office(OfficePost(), url))
    assert isinstance(fault, LineBrokenError)
    assert says in str(fault)
    assert SECRET not in str(fault)


def test_a_token_endpoint_that_is_not_there_holds_the_mail_and_says_so(office: Callable[..., Smtp]) -> None:
    fault = fault_of(office(OfficePost(), f"http://127.0.0.1:{free_port()}/tenant/oauth2/v2.0/token"))
    assert isinstance(fault, LineBrokenError)
    assert "token endpoint of ADEMRUIMTE_SMTP_TENANT could not be used" in str(fault)


# --- refusals ----------------------------------------------------------------------------------------------------

BASIC_OFF = "550 5.7.30 Basic authentication is not supported for Client Submission."
CLIENT_OFF = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
    "Visit https://aka.ms/smtp_auth_disabled for more information. [AM0PR10CA0013.EURPRD10.PROD.OUTLOOK.COM]"
)
WRONG_PASSWORD = "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (BASIC_OFF, ("takes no password for sending mail any more", "ADEMRUIMTE_SMTP_CLIENT_ID", "SMTP.SendAsApp")),
        (CLIENT_OFF, ("switched off", "Set-CASMailbox", "SmtpClientAuthenticationDisabled $false")),
        (WRONG_PASSWORD, ("refused the login", "wrong or has expired")),
        ("454 4.7.0 Temporary authentication failure", ("could not check the login just now",)),
        ("535 5.7.8 Error: authentication failed", ("check ADEMRUIMTE_SMTP_USERNAME and ADEMRUIMTE_SMTP_PASSWORD",)),
    ],
)
def test_a_login_that_is_refused_says_which_administrator_does_what(
    serve: Callable[..., int], certificate: Path, answer: str, says: tuple[str, ...]
) -> None:
    class Refusing(Post):
        async def auth_PLAIN(self, server: SMTP, _args: list[str]) -> AuthResult:  # noqa: N802
            await server.push(answer)
            return AuthResult(success=False, handled=True)

        auth_LOGIN = auth_PLAIN  # noqa: N815

    post = Refusing()
    port = serve(
        post, tls_context=server_side(certificate), auth_required=True, authenticator=only("databord", "geheim")
    )
    channel = Smtp("127.0.0.1", port, Login("databord", SecretStr("geheim-woord")), authority=certificate)
    fault = fault_of(channel)
    assert isinstance(fault, LineBrokenError)
    assert answer.split(".", maxsplit=1)[0] in str(fault)
    for words in says:
        assert words in str(fault)
    assert "geheim-woord" not in str(fault)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("530 5.7.57 Client not authenticated to send mail.", "wants a login and got none"),
        ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", "grant Send As"),
    ],
)
def test_a_sender_that_is_refused_stops_the_whole_line_and_says_why(
    serve: Callable[..., int], answer: str, says: str
) -> None:
    fault = fault_of(plain(serve(Post(to_sender=answer))))
    assert isinstance(fault, LineBrokenError)
    assert answer in str(fault)
    assert says in str(fault)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ("450 4.2.0 <hoofd@stad.test>: Recipient address rejected: Greylisted", DeliveryError, "greylisting"),
        ("451 4.7.1 Greylisting in action, please come back later", DeliveryError, "within the hour"),
        ("452 4.2.2 Mailbox full", DeliveryError, "mailbox of the recipient is full"),
        ("450 4.1.8 something of its own", DeliveryError, "answered 450 4.1.8 something of its own"),
        ("550 5.1.1 user unknown", RefusedError, "correct it in the file with recipients"),
        ("550 5.7.1 something of its own", RefusedError, "answered 550 5.7.1 something of its own"),
        ("550 5.7.64 TenantAttribution; Relay Access Denied", LineBrokenError, "add it to the connector"),
        ("554 5.7.1 <hoofd@stad.test>: Relay access denied", LineBrokenError, "forwards nothing for this machine"),
        ("421 4.3.2 Service not available", LineBrokenError, "takes no more for now"),
    ],
)
def test_a_recipient_that_is_refused_says_whether_it_passes_by_itself(
    serve: Callable[..., int], answer: str, kind: type[DeliveryError], says: str
) -> None:
    fault = fault_of(plain(serve(Post(to_recipients={TO: [answer]}))))
    assert type(fault) is kind
    assert says in str(fault)
    assert TO not in str(fault)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("432 4.3.2 Concurrent connections limit exceeded", LineBrokenError),
        ("552 5.3.4 Message too big", RefusedError),
        ("554 5.2.252 SendAsDenied; not allowed to send as", LineBrokenError),
        ("451 4.3.0 try again later", DeliveryError),
    ],
)
def test_content_that_is_refused_is_of_the_message_or_of_the_line(
    serve: Callable[..., int], answer: str, kind: type[DeliveryError]
) -> None:
    fault = fault_of(plain(serve(Post(to_content=[answer]))))
    assert type(fault) is kind
    assert answer in str(fault)


# --- certificates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({}, "nobody this machine trusts vouches for the certificate of 127.0.0.1"),
        ({"days": (-3, -1)}, "has expired: let the administrator of that server renew it"),
        ({"days": (1, 3)}, "is not valid yet: check the clock of this machine"),
        ({"address": "127.0.0.2"}, "belongs to another name than 127.0.0.1"),
    ],
)
def test_a_bad_certificate_is_refused_before_anything_is_said_and_told_in_words(
    serve: Callable[..., int], tmp_path: Path, made: dict[str, object], says: str
) -> None:
    bad = write_certificate(tmp_path / "bad.pem", **made)  # type: ignore[arg-type]
    post = Post()
    channel = Smtp("127.0.0.1", serve(post, tls_context=server_side(bad)), authority=bad if made else None)
    fault = fault_of(channel)
    assert isinstance(fault, LineBrokenError)
    assert says in str(fault)
    assert "nothing was sent" in str(fault)
    assert post.got == []


def test_a_file_of_certificates_that_cannot_be_read_is_named(serve: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("geen certificaat")
    fault = fault_of(Smtp("127.0.0.1", serve(Post()), authority=tmp_path / "ca.pem"))
    assert "ca.pem holds no certificate that can be read" in str(fault)


def test_a_server_that_does_not_encrypt_says_which_setting_is_for_a_relay(serve: Callable[..., int]) -> None:
    fault = fault_of(Smtp("127.0.0.1", serve(Post())))
    assert isinstance(fault, LineBrokenError)
    assert "Only for a relay within the city's own network ADEMRUIMTE_SMTP_STARTTLS=0" in str(fault)


def test_tls_on_the_port_of_another_dialect_says_which_port_is_which(serve: Callable[..., int]) -> None:
    fault = fault_of(Smtp("127.0.0.1", serve(Post()), encryption=Encryption.TLS))
    assert "ADEMRUIMTE_SMTP_TLS=1 belongs to port 465" in str(fault)


def test_a_server_that_is_not_there_says_what_to_check() -> None:
    fault = fault_of(plain(free_port()))
    assert isinstance(fault, LineBrokenError)
    assert "check ADEMRUIMTE_SMTP_HOST and _PORT" in str(fault)
