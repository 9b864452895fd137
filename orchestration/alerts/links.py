"""A link by which a department answers without a login: who may answer what, until when, signed.

Whoever holds the link may answer for its department, as whoever holds the mail may reply to it. A token has one
purpose: the one in the mail shows a page, and each button of that page has one of its own, which works once.
"""

import binascii
import hmac
import json
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256

from pydantic import SecretStr

from orchestration.secrets import read_or_create_ring
from orchestration.settings import Settings

_log = logging.getLogger("ademruimte.links")
SHOW = "show"
"""The purpose of the link in a mail: it shows the page, and changes nothing."""
PAGE = "doel"
VALID_FOR = timedelta(days=60)
# so that a signature of ours under anything else is none of these
_DOMAIN = b"ademruimte answer 1\0"
_SHORTEST_KEY = 32
_LONGEST_TOKEN = 1000


class ForgedOrExpiredError(ValueError):
    """A token that we did not sign, for this purpose, or that is over; which of these is told to nobody."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token lets its holder do.

    Attributes:
        purpose: `show`, or a kind of answer.
        period: of the message that bears it, as `2026-W48`: a button of it works once.
        expires: the last city date on which it is taken.
    """

    purpose: str
    target_id: str
    department_id: str
    period: str
    expires: date

    @property
    def token_id(self) -> str:
        """The same for every token of one message, one target and one purpose, whenever and by whatever key signed."""
        return sha256(_packed([self.purpose, self.target_id, self.department_id, self.period])).hexdigest()

    def to(self, purpose: str) -> "Link":
        """The same for another purpose."""
        return replace(self, purpose=purpose)

    def signed(self, keys: Sequence[SecretStr]) -> str:
        """The token, by the newest key."""
        said = _packed([self.purpose, self.target_id, self.department_id, self.period, self.expires.isoformat()])
        return f"{_text(said)}.{_text(_signature(said, keys[-1]))}"


def opened(token: str, purposes: Sequence[str], keys: Sequence[SecretStr], today: date) -> Link:
    """What a token lets its holder do today.

    Raises:
        ForgedOrExpiredError: nothing.
    """
    said, _, signature = token.partition(".")
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise ForgedOrExpiredError
    try:
        packed, given = _bytes(said), _bytes(signature)
    except binascii.Error:
        raise ForgedOrExpiredError from None
    # every key is tried, so that the time it takes says nothing of which one it was
    fits = [hmac.compare_digest(_signature(packed, key), given) for key in keys]
    if not any(fits):
        raise ForgedOrExpiredError
    # ours, so it is what `signed` wrote
    purpose, target_id, department_id, period, expires = json.loads(packed)
    link = Link(purpose, target_id, department_id, period, date.fromisoformat(expires))
    if link.purpose not in purposes or link.expires < today:
        raise ForgedOrExpiredError
    return link


def keys_of(settings: Settings) -> Sequence[SecretStr]:
    """The keys that sign links, oldest first; one is made on first use.

    Raises:
        OSError: the file cannot be read, is empty, or holds a key that could be guessed.
    """
    try:
        keys = read_or_create_ring(settings.web_key_file).keys
    except UnicodeDecodeError:
        raise OSError(f"{settings.web_key_file} holds no keys: write letters and figures, one key a line") from None
    if any(len(key.get_secret_value()) < _SHORTEST_KEY for key in keys):
        raise OSError(
            f"{settings.web_key_file} holds a key of fewer than {_SHORTEST_KEY} characters: write a longer one"
        )
    return keys


def link_of(settings: Settings, target_id: str, department_id: str, period: str, on: date) -> str | None:
    """The address of the page on which a department answers of a target; None where no pages are served.

    The same arguments give the same address, so that a mail that is made again is the same mail.

    Args:
        settings: of the profile.
        target_id: which target.
        department_id: who answers.
        period: of the message that bears the link.
        on: the city date of that message; the link is taken for sixty days.
    """
    if settings.web_url is None:
        return None
    try:
        keys = keys_of(settings)
    except OSError as fault:
        # a mail without a button is better than none
        _log.warning("messages bear no link to answer by: %s", fault)
        return None
    link = Link(SHOW, target_id, department_id, period, on + VALID_FOR)
    return f"{settings.web_url}/{PAGE}/{link.signed(keys)}"


def _signature(said: bytes, key: SecretStr) -> bytes:
    return hmac.digest(key.get_secret_value().encode(), _DOMAIN + said, "sha256")


def _packed(words: list[str]) -> bytes:
    # brackets and quotes keep apart what could be read as another split of the same letters
    return json.dumps(words, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
