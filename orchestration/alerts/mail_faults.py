"""What a mail server's refusal means and what to do about it, in English, for the data team.

Belongs here: the meaning of answers. Does not belong here: talking to a server (`smtp`).
"""

import re
import ssl
from enum import Enum
from typing import NamedTuple


class Scope(Enum):
    """What a refusal concerns."""

    LINE = "the server takes no message at all now"
    MESSAGE = "this message is never taken as it is"
    LATER = "this message may be taken later"


class Meaning(NamedTuple):
    """What a refusal concerns, and what it means with what to do; without words where the server's own say it all."""

    scope: Scope
    words: str = ""


_OAUTH = (
    "register an application in Entra ID with the permission SMTP.SendAsApp, admit it in Exchange "
    "(New-ServicePrincipal, Add-MailboxPermission), and set ADEMRUIMTE_SMTP_TENANT, ADEMRUIMTE_SMTP_CLIENT_ID and "
    "ADEMRUIMTE_SMTP_CLIENT_SECRET instead of ADEMRUIMTE_SMTP_PASSWORD"
)
# the first that fits says it; each is looked for in the code with the words of the server
_KNOWN: tuple[tuple[str, Meaning], ...] = (
    (r"\b5\.7\.30\b", Meaning(Scope.LINE, f"Microsoft 365 takes no password for sending mail any more: {_OAUTH}")),
    (
        r"\b5\.7\.139\b.*(SmtpClientAuthentication|disabled)",
        Meaning(
            Scope.LINE,
            "Microsoft 365 has logging in for SMTP switched off, for the whole city or for this mailbox: let its "
            "administrator switch it on for this mailbox (Set-CASMailbox -SmtpClientAuthenticationDisabled $false), "
            f"and {_OAUTH}",
        ),
    ),
    (
        r"\b5\.7\.139\b",
        Meaning(
            Scope.LINE,
            "Microsoft 365 refused the login: the password is wrong or has expired, or a policy of the city (security "
            f"defaults, conditional access) forbids passwords: {_OAUTH}",
        ),
    ),
    (
        r"\b5\.7\.57\b",
        Meaning(
            Scope.LINE,
            "the server wants a login and got none: set ADEMRUIMTE_SMTP_USERNAME with a password or an application. "
            "Where this machine should be let in by its address, use the host of the city's connector or relay, and "
            "not smtp.office365.com",
        ),
    ),
    (
        r"\b5\.7\.60\b|\b5\.2\.252\b|SendAsDenied",
        Meaning(
            Scope.LINE,
            "the login may not send in the name of ADEMRUIMTE_SENDER: set that to the mailbox of the login, or let its "
            "administrator grant Send As",
        ),
    ),
    (
        r"\b5\.7\.64\b|TenantAttribution",
        Meaning(
            Scope.LINE,
            "the relay does not know the address from which this machine leaves the city's network: let the "
            "administrator of Microsoft 365 add it to the connector",
        ),
    ),
    (
        r"relay(ing)? (access )?(not |is )?(denied|permitted|allowed)|unable to relay|\b5\.7\.54\b",
        Meaning(
            Scope.LINE,
            "the server forwards nothing for this machine: let its administrator admit the address of this machine, or "
            "set ADEMRUIMTE_SMTP_USERNAME and log in",
        ),
    ),
    (
        r"\b4\.3\.2\b.*concurrent|\b4\.5\.127\b|too many (connections|messages)|submission rate|\b4\.7\.2[0-9]\b",
        Meaning(
            Scope.LINE,
            "too much was sent at once through this mailbox; it is tried again by itself. Where it goes on, set "
            "ADEMRUIMTE_SMTP_PER_MINUTE lower, or give Ademruimte a mailbox of its own",
        ),
    ),
    (
        r"gr[ea]y-?list|\b4\.7\.1\b|try again later|come back later",
        Meaning(
            Scope.LATER,
            "the server of the recipient keeps a sender it does not know waiting (greylisting). It is tried again by "
            "itself, and most are let in within the hour; where it goes on, ask the city's mail administrator to admit "
            "this machine",
        ),
    ),
    (
        r"\b5\.1\.1\b|\b5\.1\.10\b|user unknown|no such user|mailbox unavailable",
        Meaning(
            Scope.MESSAGE,
            "nobody has this address: correct it in the file with recipients, then `ademruimte outbox release KEY`",
        ),
    ),
    (
        r"^552\b|\b5\.3\.4\b|\b5\.2\.3\b",
        Meaning(
            Scope.MESSAGE, "the message is larger than the server takes: ask its administrator for 5 MB per message"
        ),
    ),
    (r"\b5\.2\.2\b|mailbox full|over quota", Meaning(Scope.LATER, "the mailbox of the recipient is full: tell them")),
)
_LOGIN = {
    "password": Meaning(
        Scope.LINE,
        "the login was refused: check ADEMRUIMTE_SMTP_USERNAME and ADEMRUIMTE_SMTP_PASSWORD. Microsoft 365 takes no "
        f"password where its administrator did not allow it: {_OAUTH}",
    ),
    "application": Meaning(
        Scope.LINE,
        "the token of the application was refused: ADEMRUIMTE_SMTP_USERNAME must be the mailbox, the application needs "
        "SMTP.SendAsApp with admin consent, and Exchange must know it (New-ServicePrincipal with the object id of the "
        "*enterprise application*, then Add-MailboxPermission -AccessRights FullAccess on that mailbox)",
    ),
}
_CLOSING = 421
# OpenSSL's numbers of why a certificate is not trusted
_EXPIRED, _NOT_YET = 10, 9
_UNKNOWN_ISSUER = (18, 19, 20, 21)
_OTHER_NAME = (62, 64)
_ENTRA = {
    "AADSTS7000215": "the client secret is wrong: copy its value, not its id, into ADEMRUIMTE_SMTP_CLIENT_SECRET",
    "AADSTS7000222": "the client secret has expired: make a new one and set ADEMRUIMTE_SMTP_CLIENT_SECRET",
    "AADSTS700016": "this tenant has no application of that number: check ADEMRUIMTE_SMTP_CLIENT_ID and _TENANT",
    "AADSTS90002": "there is no such tenant: check ADEMRUIMTE_SMTP_TENANT",
    "AADSTS53003": "a policy of the city (conditional access) forbids it: let its administrator admit this machine",
}


def of_answer(code: int, said: str, login: str | None = None) -> Meaning:
    """What an answer of a mail server means.

    Args:
        code: the number of three digits.
        said: the words behind it.
        login: how we had just tried to log in (`password`, `application`); None for an answer to something else.
    """
    answer = f"{code} {said}"
    known = next((each for pattern, each in _KNOWN if re.search(pattern, answer, re.IGNORECASE | re.DOTALL)), None)
    if known is not None and not (login and known.scope is not Scope.LINE):
        return known
    if login is not None and code < 500:
        return Meaning(Scope.LINE, "the server could not check the login just now; it is tried again by itself")
    if login is not None:
        return _LOGIN[login]
    if code == _CLOSING:
        return Meaning(Scope.LINE, "the server takes no more for now; it is tried again by itself")
    return Meaning(Scope.LATER if code < 500 else Scope.MESSAGE)


def of_certificate(fault: ssl.SSLCertVerificationError, host: str) -> str:
    """Why a certificate is not trusted, and what to do. It is never accepted unchecked."""
    if fault.verify_code == _EXPIRED:
        return f"the certificate of {host} has expired: let the administrator of that server renew it"
    if fault.verify_code == _NOT_YET:
        return f"the certificate of {host} is not valid yet: check the clock of this machine, then that of the server"
    if fault.verify_code in _OTHER_NAME:
        return (
            f"the certificate belongs to another name than {host}: set ADEMRUIMTE_SMTP_HOST to the name on the "
            "certificate, not to an address or an alias"
        )
    if fault.verify_code in _UNKNOWN_ISSUER:
        return (
            f"nobody this machine trusts vouches for the certificate of {host}. Where the city signs its own, put the "
            "certificate of its authority (PEM) in a file and name it in ADEMRUIMTE_SMTP_CA_FILE"
        )
    return f"the certificate of {host} cannot be trusted ({fault.verify_message}): ask the administrator of that server"


def of_token(error: str, description: str) -> str:
    """Why Entra ID grants no token, and what to do."""
    number = next((each for each in re.findall(r"AADSTS\d+", description)), "")
    return f"{number or error}: {_ENTRA.get(number, 'check ADEMRUIMTE_SMTP_TENANT, _CLIENT_ID and _CLIENT_SECRET')}"
