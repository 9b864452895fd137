"""The one HTTP client: bounded in time and size, faithful to one origin, silent about secrets.

Belongs here: what every supplier has in common. A supplier's paging and envelope belong in `protocols`.
"""

import io
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from threading import Timer
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from ingestion.bounded_json import UnreadableJsonError, read_json
from ingestion.errors import AccessRefusedError, NotOfferedError, PermanentSupplierError, TransientSupplierError
from ingestion.inflating import MOST_BYTES, most_unpacked

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

_TRIES = 5
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_DEADLINE_SECONDS = 120.0
_CRAWL_SECONDS = 1800.0
_MOST_PAGES = 10_000
_CHUNK = 64 * 1024
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_RANDOM = SystemRandom()
_MARKUP = re.compile(rb"[\xef\xbb\xbf \t\r\n]*<")
_EXACT_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?/?", re.IGNORECASE)
_Read = TypeVar("_Read")

Params = Mapping[str, str | int]


class LaterError(Exception):
    """A good answer that says in its own words: not now. Its text is read after the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; one with a status of 300 or more only where it was asked for (`Client.post_once`).

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
            PermanentSupplierError: it is HTML, empty, no JSON, or would take too much memory.
        """
        if _MARKUP.match(self.body):
            raise PermanentSupplierError("web_page_answered", self.url_without_query)
        try:
            return read_json(self.body)
        except UnreadableJsonError as unreadable:
            raise PermanentSupplierError("no_json", self.url_without_query, why=unreadable) from None


@dataclass(frozen=True, slots=True)
class Budget:
    """The time that a whole crawl may take, however many requests it needs; it runs from when it is made."""

    seconds: float = _CRAWL_SECONDS
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds until the end; negative after it."""
        return self.started + self.seconds - time.monotonic()


class Trail:
    """The pages a crawl has been to: a supplier that leads in circles, or nowhere, is stopped.

    Args:
        shown: the address without its query, for messages.
        most_pages: more than this is no answer but a fault.
    """

    def __init__(self, shown: str, most_pages: int = _MOST_PAGES) -> None:
        self._shown = shown
        self._most_pages = most_pages
        self._been: set[str] = set()

    def step(self, page: str) -> None:
        """Notes the page about to be asked.

        Raises:
            PermanentSupplierError: it was asked before, or there were too many.
        """
        if page in self._been:
            raise PermanentSupplierError("circle", self._shown)
        self._been.add(page)
        if len(self._been) > self._most_pages:
            raise PermanentSupplierError("too_many_pages", self._shown, most=self._most_pages)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An attempt without an answer; it may be repeated unless it is final."""

    why: str
    wait_seconds: float | None = None
    is_final: bool = False
    fault: type[PermanentSupplierError] = PermanentSupplierError


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, at every try; the query and the form may hold a key."""

    method: str
    url: str
    params: Params | None = field(default=None, repr=False)
    form: Mapping[str, str] | bytes | None = field(default=None, repr=False)


def _judge(response: requests.Response) -> _Refusal | None:
    """Sorts the status; None is good."""
    status = response.status_code
    if status == 429 or status >= 500:
        return _Refusal(f"answered HTTP {status}", retry_after(response.headers))
    if status in (401, 403):
        why = f"refused the credentials (HTTP {status}); renew them in the settings"
        return _Refusal(why, is_final=True, fault=AccessRefusedError)
    if status >= 400:
        fault = NotOfferedError if status in (404, 406, 410, 415) else PermanentSupplierError
        return _Refusal(f"answered HTTP {status}; check the address in the settings", is_final=True, fault=fault)
    if status >= 300:
        why = f"redirects (HTTP {status}), which is never followed; put the new address in the settings"
        return _Refusal(why, is_final=True)
    return None


def _whatever(_: requests.Response) -> None:
    """No status is a refusal."""


class Client:
    """Asks one supplier, on the origins it names, with the credentials of each.

    Args:
        url: any address on the supplier's origin (scheme, host and port).
        headers: sent with every request to that origin, and to no other.
        sleep: pauses between tries.
        deadline_seconds: longest duration of one try, slow headers and body included.
        also: by address on it, the headers of every other origin that may be asked.
        budget: the time of the whole crawl; shared between clients, it holds for them together.
    """

    def __init__(  # noqa: PLR0913 - each stands alone and has a default
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        deadline_seconds: float = _DEADLINE_SECONDS,
        *,
        also: Mapping[str, Mapping[str, str]] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._origin = _origin(url)
        others = {_origin(other): dict(own) for other, own in (also or {}).items()}
        self._headers = others | {self._origin: dict(headers or {})}
        self._sleep = sleep
        self._deadline_seconds = deadline_seconds
        self._budget = budget or Budget()
        self._session = requests.Session()
        # a .netrc or a proxy variable must not change who is asked or as whom
        self._session.trust_env = False
        for scheme in _DEFAULT_PORTS:
            self._session.mount(f"{scheme}://", _CuttableAdapter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._session.close()

    def get(self, url: str, params: Params | None = None) -> Answer:
        """The answer to a GET, after at most five tries.

        Raises:
            TransientSupplierError: 429, 5xx, time-out or a broken connection at every try.
            PermanentSupplierError: another origin, a redirect, refused credentials, another 4xx, too large,
                a certificate that nobody vouches for.
        """
        return self._asked(_Question("GET", url, params=params), _as_it_is)

    def read(self, url: str, reading: Callable[[Answer], _Read]) -> _Read:
        """What a reader makes of the answer to a GET; where it says `LaterError`, that was a try like another.

        Args:
            url: what is asked.
            reading: reads an answer, and may refuse it with any supplier error.

        Raises:
            TransientSupplierError, PermanentSupplierError: see `get`.
        """
        return self._asked(_Question("GET", url), reading)

    def post_form(self, url: str, fields: Mapping[str, str | SecretStr]) -> Answer:
        """The answer to a form, as a token endpoint asks it; bounds and tries are those of `get`.

        Args:
            url: where the form goes.
            fields: what is filled in; none of it is ever in a message.

        Raises:
            TransientSupplierError, PermanentSupplierError: see `get`.
        """
        form = {
            name: filled.get_secret_value() if isinstance(filled, SecretStr) else filled
            for name, filled in fields.items()
        }
        return self._asked(_Question("POST", url, form=form), _as_it_is)

    def post_once(self, url: str, content: Mapping[str, str] | bytes) -> Answer:
        """The answer to one POST, whatever its status: for who reads a refusal, or may not repeat the question unasked.

        Args:
            url: where it goes; it may be a secret as a whole, so that no message holds any of it.
            content: a form, or what the headers say it is.

        Raises:
            TransientSupplierError: no answer came in time.
            PermanentSupplierError: another origin, a certificate that nobody vouches for, an answer that is too large.
        """
        outcome = self._try(_Question("POST", url, form=content), self._credentials(url), judge=_whatever)
        if isinstance(outcome, Answer):
            return outcome
        fault = PermanentSupplierError if outcome.is_final else TransientSupplierError
        raise fault("refused", why=outcome.why)

    def _asked(self, question: _Question, reading: Callable[[Answer], _Read]) -> _Read:
        headers = self._credentials(question.url)
        shown = address(question.url)
        refusal = _Refusal("was not asked")
        for attempt in range(_TRIES):
            if self._budget.left() <= 0:
                raise TransientSupplierError("too_long", shown, seconds=self._budget.seconds)
            outcome = self._try(question, headers)
            if isinstance(outcome, Answer):
                try:
                    return reading(outcome)
                except LaterError as later:
                    outcome = _Refusal(str(later), retry_after(outcome.headers))
            refusal = outcome
            if refusal.is_final:
                raise refusal.fault("refused", shown, why=refusal.why)
            if attempt < _TRIES - 1:
                self._sleep(min(_pause(attempt, refusal), max(self._budget.left(), 0.0)))
        raise TransientSupplierError("no_answer", shown, why=refusal.why, tries=_TRIES)

    def _credentials(self, url: str) -> Mapping[str, str]:
        """The headers of the origin that an address lies on.

        Raises:
            PermanentSupplierError: it lies on no origin of this supplier.
        """
        origin = _origin(url)
        if origin not in self._headers:
            raise PermanentSupplierError("outside", address(url), origin="{}://{}:{}".format(*self._origin))
        return self._headers[origin]

    def _try(
        self,
        question: _Question,
        headers: Mapping[str, str],
        judge: Callable[[requests.Response], _Refusal | None] = _judge,
    ) -> Answer | _Refusal:
        seconds = max(min(self._deadline_seconds, self._budget.left()), 0.001)
        with _cut_after(seconds) as wire:
            try:
                with self._session.request(
                    question.method,
                    question.url,
                    params=question.params,
                    data=question.form,
                    headers=headers,
                    timeout=(min(_CONNECT_SECONDS, seconds), min(_READ_SECONDS, seconds)),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return judge(response) or _answer(response, address(question.url), wire)
            # the exception's text may hold the query, and the query a key
            except (OSError, HTTPError, ValueError) as broken:
                return _late(wire) or _broken(broken)


@dataclass(slots=True)
class _Wire:
    """The connection in use, so that the clock can cut it whatever the supplier is dripping."""

    deadline: float
    line: socket.socket | None = None

    def is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    def cut(self) -> None:
        line = self.line
        if line is not None:
            with suppress(OSError):
                # not the TLS one's own shutdown: that would pull the rug from under the reading thread
                socket.socket.shutdown(line, socket.SHUT_RDWR)


_WIRE: ContextVar[_Wire] = ContextVar("_WIRE")


@contextmanager
def _cut_after(seconds: float) -> Iterator[_Wire]:
    """A time-out of requests counts from the last byte; this one counts from the first."""
    wire = _Wire(time.monotonic() + seconds)
    clock = Timer(seconds, wire.cut)
    clock.daemon = True
    clock.start()
    before = _WIRE.set(wire)
    try:
        yield wire
    finally:
        _WIRE.reset(before)
        clock.cancel()


class _Connection(HTTPConnection):
    def getresponse(self) -> "HTTPResponse":  # type: ignore[override] # urllib3's own departure from http.client
        _WIRE.get().line = self.sock
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> "HTTPResponse":  # type: ignore[override] # urllib3's own departure from http.client
        _WIRE.get().line = self.sock
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _CuttableAdapter(HTTPAdapter):
    """Tells the clock which connection is in use."""

    def __init__(self) -> None:
        super().__init__()
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _as_it_is(answer: Answer) -> Answer:
    return answer


def _late(wire: _Wire) -> _Refusal | None:
    return _Refusal("took too long to answer") if wire.is_late() else None


def _broken(broken: Exception) -> _Refusal:
    distrust = _distrust(broken)
    if distrust is None and isinstance(broken, ValueError):
        return _Refusal("holds a character that cannot be sent; check the address and the token", is_final=True)
    if distrust is None:
        return _Refusal(f"broke off ({type(broken).__name__})")
    return _Refusal(
        f"has a certificate that cannot be trusted ({distrust}); nothing was sent. Ask the supplier for a valid "
        "certificate; it is never accepted unchecked",
        is_final=True,
    )


def _distrust(broken: BaseException) -> str | None:
    """Why a certificate was not accepted, looked up in what an exception wraps; None when that is not it."""
    if isinstance(broken, ssl.SSLCertVerificationError):
        return broken.verify_message
    within = [getattr(broken, "reason", None), *broken.args]
    return next((why for each in within if isinstance(each, BaseException) and (why := _distrust(each))), None)


def address(url: str) -> str:
    """The address without user, query and fragment: what may be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def listed_origins(written: str) -> tuple[str, ...]:
    """The origins that a setting lists, with commas between; each exactly as it may be asked.

    Raises:
        ValueError: an entry is not just scheme, host and port. It is not shown: it may hold a key.
    """
    listed = [each.strip() for each in written.split(",") if each.strip()]
    for place, each in enumerate(listed, 1):
        if not _EXACT_ORIGIN.fullmatch(each):
            raise ValueError(
                f"entry {place} is no origin; write https://host or https://host:port, with commas between"
            )
    return tuple(listed)


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS[parts.scheme]
    except (KeyError, ValueError):
        shown = address(url)
    raise PermanentSupplierError("no_address", shown)


def _answer(response: requests.Response, shown: str, wire: _Wire) -> Answer | _Refusal:
    body = io.BytesIO()
    raw: HTTPResponse = response.raw
    # read1 returns what has arrived, so a supplier that drips bytes cannot pass the deadline unseen
    while chunk := raw.read1(_CHUNK, decode_content=True):
        body.write(chunk)
        if body.tell() > MOST_BYTES:
            return _Refusal(f"answered more than {MOST_BYTES // 2**20} MB; ask for less", is_final=True)
        if body.tell() > (most := most_unpacked(raw.tell())):
            why = f"sent {raw.tell()} bytes that unpack to more than {most // 2**20} MB; not read. Ask the supplier"
            return _Refusal(why, is_final=True)
        if wire.is_late():
            break
    # a cut connection without a promised length looks like the end of the body
    if late := _late(wire):
        return late
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(shown, response.status_code, headers, body.getvalue(), _moment(headers.get("date")))


def _pause(attempt: int, refusal: _Refusal) -> float:
    """Seconds to wait: what the supplier asks, else exponential with full jitter; never over a minute."""
    if refusal.wait_seconds is not None:
        return min(max(refusal.wait_seconds, 0.0), _LONGEST_PAUSE_SECONDS)
    return _RANDOM.uniform(0, min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the supplier wants to be asked again; None when it does not say so legibly."""
    told = {name.lower(): value for name, value in headers.items()}
    written = told.get("retry-after", "").strip()
    if written.isdecimal():
        return float(written)
    until, now = _moment(written), _moment(told.get("date"))
    return (until - now).total_seconds() if until and now else None


def _moment(written: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(written or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
