"""The one HTTP client: bounded in time and size, faithful to one origin, silent about secrets.

Belongs here: what every supplier has in common. A supplier's paging and envelope belong in `protocols`.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from ingestion.errors import PermanentSupplierError, TransientSupplierError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_TRIES = 5
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_DEADLINE_SECONDS = 120.0
_BODY_LIMIT = 200 * 1024 * 1024
_CHUNK = 64 * 1024
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_RANDOM = SystemRandom()

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a status below 300.

    Attributes:
        url_without_query: the address that may be shown.
        headers: names in lower case.
        body: decompressed.
        server_time: the supplier's clock (HTTP Date, UTC).
    """

    url_without_query: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    server_time: datetime | None

    def json(self) -> object:
        """The body as JSON.

        Raises:
            PermanentSupplierError: it is HTML, empty or no JSON.
        """
        start = self.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if start == b"<":
            raise PermanentSupplierError(
                f"{self.url_without_query}: answered HTML or XML where JSON was expected (often a login or error "
                "page); check the address and the credentials"
            )
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError) as broken:
            raise PermanentSupplierError(
                f"{self.url_without_query}: answered {len(self.body)} bytes that are not JSON "
                f"({_where(broken)}); ask the supplier"
            ) from None


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An attempt that may be repeated."""

    why: str
    wait_seconds: float | None = None


class Client:
    """Asks one supplier, on one origin, with one set of credentials.

    Args:
        url: any address on the supplier's origin (scheme, host and port).
        headers: sent with every request, and only to that origin.
        sleep: pauses between tries.
        deadline_seconds: longest duration of one try, body included.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        deadline_seconds: float = _DEADLINE_SECONDS,
    ) -> None:
        self._origin = _origin(url)
        self._headers = dict(headers or {})
        self._sleep = sleep
        self._deadline_seconds = deadline_seconds
        self._session = requests.Session()
        # a .netrc or a proxy variable must not change who is asked or as whom
        self._session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._session.close()

    def get(self, url: str, params: Params | None = None) -> Answer:
        """The answer to a GET, after at most five tries.

        Raises:
            TransientSupplierError: 429, 5xx, time-out or a broken connection at every try.
            PermanentSupplierError: another origin, a redirect, refused credentials, another 4xx, too large.
        """
        if _origin(url) != self._origin:
            raise PermanentSupplierError(
                f"{address(url)}: lies outside {'{}://{}:{}'.format(*self._origin)}; not asked, so that no "
                "credential leaves the supplier; check the address in the settings or ask the supplier"
            )
        refusal = _Refusal("was not asked")
        for attempt in range(_TRIES):
            outcome = self._try(url, params)
            if isinstance(outcome, Answer):
                return outcome
            refusal = outcome
            if attempt < _TRIES - 1:
                self._sleep(_pause(attempt, refusal))
        raise TransientSupplierError(f"{address(url)}: {refusal.why}, {_TRIES} times; the next run tries again")

    def _try(self, url: str, params: Params | None) -> Answer | _Refusal:
        deadline = time.monotonic() + self._deadline_seconds
        try:
            with self._session.get(
                url,
                params=params,
                headers=self._headers,
                timeout=(_CONNECT_SECONDS, min(_READ_SECONDS, self._deadline_seconds)),
                allow_redirects=False,
                stream=True,
            ) as response:
                refusal = _judge(response, address(url))
                return refusal or _answer(response, address(url), deadline)
        except (OSError, HTTPError) as broken:
            # the exception's text may hold the query, and the query a key
            return _Refusal(f"broke off ({type(broken).__name__})")


def address(url: str) -> str:
    """The address without user, query and fragment: what may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    try:
        return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS[parts.scheme]
    except (KeyError, ValueError):
        raise PermanentSupplierError(f"{address(url)}: is no http or https address; check the settings") from None


def _judge(response: requests.Response, shown: str) -> _Refusal | None:
    """Sorts the status: None is good, a refusal may be repeated, the rest is raised."""
    status = response.status_code
    if status == 429 or status >= 500:
        return _Refusal(f"answered HTTP {status}", _retry_after(response))
    if status in (401, 403):
        raise PermanentSupplierError(f"{shown}: refused the credentials (HTTP {status}); renew them in the settings")
    if status >= 400:
        raise PermanentSupplierError(f"{shown}: answered HTTP {status}; check the address in the settings")
    if status >= 300:
        raise PermanentSupplierError(
            f"{shown}: redirects (HTTP {status}), which is never followed; put the new address in the settings"
        )
    return None


def _answer(response: requests.Response, shown: str, deadline: float) -> Answer | _Refusal:
    body = bytearray()
    raw: BaseHTTPResponse = response.raw
    # read1 returns what has arrived, so a supplier that drips bytes cannot pass the deadline unseen
    while chunk := raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > _BODY_LIMIT:
            raise PermanentSupplierError(f"{shown}: answered more than {_BODY_LIMIT // 2**20} MB; ask for less")
        if time.monotonic() > deadline:
            return _Refusal("took too long to answer")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(shown, response.status_code, headers, bytes(body), _moment(headers.get("date")))


def _pause(attempt: int, refusal: _Refusal) -> float:
    """Seconds to wait: what the supplier asks, else exponential with full jitter; never over a minute."""
    if refusal.wait_seconds is not None:
        return min(max(refusal.wait_seconds, 0.0), _LONGEST_PAUSE_SECONDS)
    return _RANDOM.uniform(0, min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS))


def _retry_after(response: requests.Response) -> float | None:
    """Seconds until the supplier wants to be asked again; None when it does not say so legibly."""
    written = response.headers.get("Retry-After", "").strip()
    if written.isdecimal():
        return float(written)
    until, now = _moment(written), _moment(response.headers.get("Date"))
    return (until - now).total_seconds() if until and now else None


def _moment(written: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(written or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _where(broken: Exception) -> str:
    if isinstance(broken, json.JSONDecodeError):
        return f"line {broken.lineno}, column {broken.colno}: {broken.msg}"
    return type(broken).__name__
