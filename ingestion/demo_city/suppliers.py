"""Suppliers on loopback that speak the real protocols over real HTTP: OCPI 2.2.1 and Open311 GeoReport v2.

They serve what they are given; nothing here invents data. Each stops when its `with` block ends.
"""

import gzip
import hmac
import json
import xml.etree.ElementTree as ET  # it only writes here
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

_LOCATIONS_PATH = "/ocpi/cpo/2.2.1/locations"
_CDRS_PATH = "/ocpi/cpo/2.2.1/cdrs"
_FEED_PATH = "/charging_point_locations_ocpi.json.gz"
_OCPI_OK, _OCPI_BAD_REQUEST, _OCPI_UNKNOWN = 1000, 2001, 2003
_GEOREPORT_DEFAULT_SPAN = timedelta(days=90)
_GEOREPORT_MOST_ROWS = 1000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One GET: `origin` is this server's own scheme, host and port."""

    origin: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    body: object
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


class _RefusedError(Exception):
    """The question cannot be answered; the words are for whoever asked."""


@contextmanager
def ocpi_supplier(
    locations: Sequence[Row], *, token: str, clock: datetime, page_size: int = 50, cdrs: Sequence[Row] | None = None
) -> Iterator[str]:
    """Serves the modules Locations and CDRs of OCPI 2.2.1.

    Args:
        locations: OCPI Location objects, in the order they are listed.
        cdrs: OCPI CDR objects; None for an operator that gives none.
        token: the credentials token; asked for in base64.
        clock: the moment that stands in every answer (UTC).
        page_size: most locations on a page.

    Yields:
        The address of the versions endpoint.
    """
    lists = {_LOCATIONS_PATH: locations} | ({} if cdrs is None else {_CDRS_PATH: cdrs})
    peer = _Ocpi(lists, token, clock, page_size)
    with _serving(peer.answer, clock) as origin:
        yield f"{origin}/ocpi/versions"


@contextmanager
def ocpi_feed(locations: Sequence[Row], *, clock: datetime) -> Iterator[str]:
    """Serves locations as a national access point does: one packed file with a bare list, open to everyone.

    Args:
        locations: OCPI Location objects.
        clock: the moment that stands in the header of the answer (UTC).

    Yields:
        The address of the file.
    """
    packed = gzip.compress(json.dumps(locations, ensure_ascii=False).encode(), compresslevel=1, mtime=0)

    def answer(asked: _Asked) -> _Answer:
        return _Answer(packed) if asked.path == _FEED_PATH else _Answer({}, HTTPStatus.NOT_FOUND)

    with _serving(answer, clock) as origin:
        yield f"{origin}{_FEED_PATH}"


@contextmanager
def open311_supplier(
    requests: Sequence[Row],
    *,
    api_key: str,
    clock: datetime,
    page_size: int = _GEOREPORT_MOST_ROWS,
    updates: Sequence[Row] | None = None,
) -> Iterator[str]:
    """Serves GeoReport v2 in JSON and XML, with the paging and the filter on change that many cities added to it.

    Args:
        requests: GeoReport requests; `requested_datetime` carries its offset.
        updates: the reply log, as FixMyStreet's extension; None for a server that keeps none.
        api_key: the key every question must carry.
        clock: the moment that stands in every answer (UTC).
        page_size: most requests on a page, at most 1 000.

    Yields:
        The base address, without a slash at its end.
    """
    desk = _GeoReport(requests, updates, api_key, clock, min(page_size, _GEOREPORT_MOST_ROWS))
    with _serving(desk.answer, clock) as origin:
        yield origin


class _Ocpi:
    def __init__(self, lists: Mapping[str, Sequence[Row]], token: str, clock: datetime, page_size: int) -> None:
        self._lists = lists
        self._authorization = f"Token {b64encode(token.encode()).decode()}"
        self._timestamp = clock.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._page_size = page_size

    def answer(self, asked: _Asked) -> _Answer:
        if not hmac.compare_digest(asked.headers.get("authorization", "").encode(), self._authorization.encode()):
            return self._refusal(HTTPStatus.UNAUTHORIZED, _OCPI_BAD_REQUEST, "unknown or missing token")
        if asked.path == "/ocpi/versions":
            return self._envelope([_version(asked.origin, number) for number in ("2.1.1", "2.2.1")])
        if asked.path == "/ocpi/2.2.1":
            return self._envelope({"version": "2.2.1", "endpoints": _endpoints(asked.origin, self._lists)})
        if asked.path in self._lists:
            return self._page(asked)
        return self._refusal(HTTPStatus.NOT_FOUND, _OCPI_UNKNOWN, "no such endpoint")

    def _page(self, asked: _Asked) -> _Answer:
        try:
            offset = _whole(asked.query, "offset", 0)
            limit = min(_whole(asked.query, "limit", self._page_size) or self._page_size, self._page_size)
            found = self._changed_within(self._lists[asked.path], asked.query)
        except _RefusedError as refused:
            return self._refusal(HTTPStatus.BAD_REQUEST, _OCPI_BAD_REQUEST, str(refused))
        headers = {"X-Total-Count": str(len(found)), "X-Limit": str(self._page_size)}
        if offset + limit < len(found):
            following = urlencode({**asked.query, "offset": offset + limit, "limit": limit})
            headers["Link"] = f'<{asked.origin}{asked.path}?{following}>; rel="next"'
        return self._envelope(found[offset : offset + limit], headers)

    def _changed_within(self, listed: Sequence[Row], query: Mapping[str, str]) -> Sequence[Row]:
        """Objects changed from `date_from` (included) to `date_to` (excluded)."""
        first, last = _moment(query, "date_from"), _moment(query, "date_to")
        if first is None and last is None:
            return listed
        return [
            each
            for each in listed
            if (changed := _moment(each, "last_updated"))
            and (first is None or changed >= first)
            and (last is None or changed < last)
        ]

    def _envelope(self, data: object, headers: Mapping[str, str] | None = None) -> _Answer:
        body = {"data": data, "status_code": _OCPI_OK, "status_message": "OK", "timestamp": self._timestamp}
        return _Answer(body, headers=headers or {})

    def _refusal(self, status: HTTPStatus, code: int, message: str) -> _Answer:
        return _Answer({"status_code": code, "status_message": message, "timestamp": self._timestamp}, status)


def _version(origin: str, number: str) -> Row:
    return {"version": number, "url": f"{origin}/ocpi/{number}"}


def _endpoints(origin: str, paths: Iterable[str]) -> list[Row]:
    found = [{"identifier": path.rpartition("/")[2], "role": "SENDER", "url": f"{origin}{path}"} for path in paths]
    return [{"identifier": "credentials", "role": "SENDER", "url": f"{origin}/ocpi/2.2.1/credentials"}, *found]


class _GeoReport:
    def __init__(
        self, requests: Sequence[Row], updates: Sequence[Row] | None, api_key: str, clock: datetime, page_size: int
    ) -> None:
        # a window is then two bisections, however many rows there are
        self._requests = _Timeline(requests, "requested_datetime")
        self._updates = None if updates is None else _Timeline(updates, "updated_datetime")
        self._api_key = api_key.encode()
        self._clock = clock
        self._page_size = page_size

    def answer(self, asked: _Asked) -> _Answer:
        if not hmac.compare_digest(asked.query.get("api_key", "").encode(), self._api_key):
            return _georeport_error(HTTPStatus.FORBIDDEN, "api_key was missing or invalid")
        resource, _, form = asked.path.removeprefix("/").partition(".")
        found = self._found(resource, asked.query)
        if isinstance(found, _Answer):
            return found
        return _Answer(found) if form == "json" else _xml(resource, found)

    def _found(self, resource: str, query: Mapping[str, str]) -> Sequence[Row] | _Answer:
        try:
            if resource == "services":
                return self._services()
            if resource == "requests":
                return self._page(self._matching(query), query)
            if resource == "servicerequestupdates" and self._updates is not None:
                return self._page(self._within(self._updates, query), query)
        except _RefusedError as refused:
            return _georeport_error(HTTPStatus.BAD_REQUEST, str(refused))
        return _georeport_error(HTTPStatus.NOT_FOUND, "no such resource")

    def _services(self) -> list[Row]:
        """The services its requests are about."""
        named = {str(row.get("service_code", "")): str(row.get("service_name", "")) for row in self._requests.rows}
        return [
            {"service_code": code, "service_name": name, "metadata": False, "type": "realtime"}
            for code, name in sorted(named.items())
        ]

    def _page(self, found: Sequence[Row], query: Mapping[str, str]) -> Sequence[Row]:
        size = min(_whole(query, "page_size", self._page_size) or self._page_size, self._page_size)
        start = (max(_whole(query, "page", 1), 1) - 1) * size
        return found[start : start + size]

    def _matching(self, query: Mapping[str, str]) -> Sequence[Row]:
        """By number, which goes before everything, else by moment of change or window, and by status."""
        if ids := query.get("service_request_id"):
            return [row for row in self._requests.rows if str(row.get("service_request_id")) in ids.split(",")]
        changed = _moment(query, "updated_after")
        found = self._within(self._requests, query) if changed is None else self._changed_after(changed)
        if wanted := query.get("status"):
            found = [row for row in found if str(row.get("status")) in wanted.split(",")]
        return found

    def _changed_after(self, moment: datetime) -> Sequence[Row]:
        return [row for row in self._requests.rows if (_changed_at(row) or moment) > moment]

    def _within(self, timeline: "_Timeline", query: Mapping[str, str]) -> Sequence[Row]:
        """From `start_date` (included) to `end_date` (excluded); without both the last 90 days."""
        start, end = _moment(query, "start_date"), _moment(query, "end_date")
        if start is None and end is None:
            start = self._clock - _GEOREPORT_DEFAULT_SPAN
        return timeline.between(start, end)


class _Timeline:
    """Rows in the order of one of their moments, each of which carries its offset."""

    def __init__(self, rows: Sequence[Row], moment: str) -> None:
        self.rows = sorted(rows, key=lambda row: datetime.fromisoformat(str(row[moment])))
        self._at = [datetime.fromisoformat(str(row[moment])) for row in self.rows]

    def between(self, start: datetime | None, end: datetime | None) -> Sequence[Row]:
        first = 0 if start is None else bisect_left(self._at, start)
        return self.rows[first : len(self._at) if end is None else bisect_left(self._at, end)]


def _changed_at(request: Row) -> datetime | None:
    """When a request last changed; a moment that cannot be read tells nothing."""
    try:
        return _moment(request, "updated_datetime")
    except _RefusedError:
        return None


def _xml(resource: str, rows: Sequence[Row]) -> _Answer:
    """The rows as the standard's XML; FixMyStreet names an update `request_update`."""
    names = {
        "servicerequestupdates": ("service_request_updates", "request_update"),
        "services": ("services", "service"),
    }
    outer, inner = names.get(resource, ("service_requests", "request"))
    root = ET.Element(outer)
    for row in rows:
        _fill(ET.SubElement(root, inner), row)
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return _Answer(body, headers={"Content-Type": "text/xml; charset=utf-8"})


def _fill(element: ET.Element, row: Row) -> None:
    for name, value in row.items():
        field_of_row = ET.SubElement(element, name)
        if isinstance(value, Mapping):
            _fill(field_of_row, value)
        elif value is not None:
            field_of_row.text = str(value).lower() if isinstance(value, bool) else str(value)


def _georeport_error(status: HTTPStatus, description: str) -> _Answer:
    return _Answer([{"code": int(status), "description": description}], status)


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    written = query.get(name, str(default))
    if not written.isdigit():
        raise _RefusedError(f"{name} is not a whole number")
    return int(written)


def _moment(values: Row, name: str) -> datetime | None:
    """A moment in UTC; without a designator it is UTC."""
    written = values.get(name)
    if not written:
        return None
    try:
        read = datetime.fromisoformat(str(written))
    except ValueError:
        raise _RefusedError(f"{name} is not a moment in the form 2026-11-22T20:00:00Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


@contextmanager
def _serving(answer: Callable[[_Asked], _Answer], clock: datetime) -> Iterator[str]:
    """A server on a free port of loopback for as long as the block lasts; yields its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, clock))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(answer: Callable[[_Asked], _Answer], clock: datetime) -> type[BaseHTTPRequestHandler]:
    date_header = format_datetime(clock.astimezone(UTC), usegmt=True)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # headers and body go out apart: waiting to join them costs 40 ms a page
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            origin = f"http://{self.headers.get('Host', '127.0.0.1')}"
            self._send(answer(_Asked(origin, address.path, dict(parse_qsl(address.query)), headers)), headers)

        def _send(self, given: _Answer, headers: Mapping[str, str]) -> None:
            written = given.body if isinstance(given.body, bytes) else None
            body = written or json.dumps(given.body, ensure_ascii=False).encode()
            self.send_response(given.status)
            if "gzip" in headers.get("accept-encoding", ""):
                body = gzip.compress(body, compresslevel=1, mtime=0)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            for name, value in ({"Content-Type": "application/json; charset=utf-8"} | dict(given.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the clock stands still
            return date_header

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the library calls
            """Keeps quiet: addresses carry keys."""

    return Handler
