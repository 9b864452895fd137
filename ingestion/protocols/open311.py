"""Open311 GeoReport v2: requests and updates by windows of time, with the paging that servers really have.

The standard filters on the moment of asking only, caps an answer (often at 1 000) and knows no pages; most
servers take `page` and `page_size`. A window is read until it is certainly whole, or refused. The reply log is
FixMyStreet's extension `servicerequestupdates`; `updated_after` is the draft of version 2.1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from ingestion.delivery import digest_of
from ingestion.errors import NotOfferedError, PermanentSupplierError
from ingestion.http import Client, address
from ingestion.protocols.open311_body import rows_of

_PAGE_SIZE = 1000
_IDS_AT_ONCE = 50
_LONGEST_WINDOW = timedelta(days=30)
_SHORTEST_WINDOW = timedelta(hours=1)
_FAR = timedelta(days=366)
# every limit seen in the field is a multiple of it
_LIMIT_STEP = 50
# below half of the smallest one nothing was cut, whatever was hidden of it
_NEVER_CUT = _LIMIT_STEP // 2
_MOST_PAGES = 10_000
_SECOND = 2
_FORMATS = (".json", ".xml")
_REQUESTS = "requests"
_UPDATES = "servicerequestupdates"
_REQUEST_ID = "service_request_id"
_EVERY_STATUS = {"status": "open,closed"}

Filters = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Desk:
    """One GeoReport server, asked in the format it offers.

    Attributes:
        base: the address below which its resources lie.
        params: what goes along with every question; it may hold a key.
        server_time: the server's clock when it was opened (UTC).
        is_empty: whether it had no request to show when it was opened.
    """

    client: Client = field(repr=False)
    base: str
    params: Filters = field(repr=False)
    requests_format: str
    server_time: datetime
    is_empty: bool

    def requests_between(self, start: datetime, end: datetime) -> list[object]:
        """Every request asked from `start` (included) to `end` (excluded).

        Raises:
            PermanentSupplierError: an hour of it can never be read whole.
        """
        windows = list(_windows(start, end))
        read = partial(Desk._windows, resource=f"{_REQUESTS}{self.requests_format}", windows=windows)
        rows = self._closed_too(read)
        return rows or []

    def requests_named(self, ids: Sequence[str]) -> list[object]:
        """The requests with these identifiers, as far as the server still has them."""
        chunks = (ids[first : first + _IDS_AT_ONCE] for first in range(0, len(ids), _IDS_AT_ONCE))
        return [row for chunk in chunks for row in self._by_number(chunk)]

    def filters_on_change(self) -> bool:
        """Whether it knows `updated_after`: a moment to come empties an answer that otherwise holds rows."""
        far = {"updated_after": _written(self.server_time + _FAR), "page": "1", "page_size": "1"}
        try:
            return not self.is_empty and not self._ask(f"{_REQUESTS}{self.requests_format}", far)
        except PermanentSupplierError:
            return False

    def requests_changed(self, after: datetime) -> list[object] | None:
        """The requests changed after a moment; None when the server may hold rows back."""
        return self._closed_too(partial(Desk._changed, after=after))

    def _changed(self, after: datetime) -> list[object] | None:
        rows, may_be_cut = self._all_pages(f"{_REQUESTS}{self.requests_format}", {"updated_after": _written(after)})
        return None if may_be_cut else rows

    def _closed_too(self, read: Callable[["Desk"], list[object] | None]) -> list[object] | None:
        """What is listed, and what is closed where that is listed only when it is asked for.

        The filter is not asked of a server that needs none: one with other words of state would hide those.
        """
        rows = read(self)
        if rows is None or any(isinstance(row, dict) and _is_closed(row) for row in rows):
            return rows
        try:
            more = read(replace(self, params={**self.params, **_EVERY_STATUS}))
        except PermanentSupplierError:
            return rows
        shown = _keys(more or [], _REQUESTS)
        return [*(row for row in rows if _key(row, _REQUESTS) not in shown), *(more or [])]

    def updates_between(self, start: datetime, end: datetime) -> list[object] | None:
        """What was said and done to requests in a period; None when the server keeps no such log.

        Raises:
            PermanentSupplierError: an hour of it can never be read whole, or it is there for a part of the period only.
        """
        windows = list(_windows(start, end))
        for ending in (".xml", ".json"):
            try:
                first = self._windows(f"{_UPDATES}{ending}", windows[:1])
            except NotOfferedError:
                continue
            # a log that answered is there: what it does not offer later on is a fault
            return first + self._windows(f"{_UPDATES}{ending}", windows[1:])
        return None

    def _windows(self, resource: str, windows: Iterable[tuple[datetime, datetime]]) -> list[object]:
        return [row for window in windows for row in self._window(resource, *window)]

    def _by_number(self, ids: Sequence[str]) -> list[object]:
        """The requests of one question; whatever is missing is asked again, in the end alone.

        A server may answer fewer than it was asked, or refuse the whole question for one request that is gone.
        """
        rows = self._named(ids)
        there = _keys(rows, _REQUESTS)
        left = [key for key in ids if key not in there]
        if not left or len(ids) == 1:
            return rows
        # where some came the next may; where none did, one of them may be to blame
        middle = len(left) if rows else len(left) // 2
        return [*rows, *(row for part in (left[:middle], left[middle:]) if part for row in self._by_number(part))]

    def _named(self, ids: Sequence[str]) -> list[object]:
        named = {_REQUEST_ID: ",".join(ids), "page_size": str(_PAGE_SIZE)}
        try:
            rows = self._ask(f"{_REQUESTS}{self.requests_format}", named)
        except NotOfferedError:
            # the standard's answer to a number that it does not know
            return []
        return [row for row in rows if _key(row, _REQUESTS) in ids]

    def _window(self, resource: str, start: datetime, end: datetime) -> list[object]:
        """All rows of a window, halved as long as the server may have cut it short."""
        rows, may_be_cut = self._all_pages(resource, _within(start, end))
        if not may_be_cut or self._is_whole(resource, rows, start, end):
            return rows
        if end - start <= _SHORTEST_WINDOW:
            raise PermanentSupplierError(
                "cut_short", f"{address(self.base)}/{resource}", start=f"{start:%Y-%m-%d %H:%M}"
            )
        return [row for half in _halves(start, end) for row in self._window(resource, *half)]

    def _is_whole(self, resource: str, rows: list[object], start: datetime, end: datetime) -> bool:
        """Whether the halves of a window show nothing that the window did not.

        Its count alone proves nothing, for a server may take out what is private after it cut.
        """
        shown = _keys(rows, resource)
        halves = [_keys(self._page(resource, _within(*half), 1), resource) for half in _halves(start, end)]
        if not set.union(*halves) <= shown:
            return False
        # with all of it in one half, both may be cut at the same row; with all of it in either, no moment is heard
        lies_apart = max(map(len, halves)) < len(shown)
        is_last = end - start <= _SHORTEST_WINDOW or halves[0] == halves[1]
        return lies_apart or (is_last and len(rows) % _LIMIT_STEP != 0)

    def _all_pages(self, resource: str, filters: Filters) -> tuple[list[object], bool]:
        """The rows of every page, and whether the server knows no pages and may hold rows back.

        A page may be shorter than another because what is private was taken out of it, so its length says nothing:
        the end is where nothing new comes.
        """
        rows: list[object] = []
        known: set[str] = set()
        for number in range(1, _MOST_PAGES):
            page = self._page(resource, filters, number)
            fresh = [row for row in page if _key(row, resource) not in known]
            if not fresh:
                # the first page once more: the number of the second was not heard
                return rows, number == _SECOND and bool(page) and len(rows) >= _NEVER_CUT
            rows += fresh
            known |= _keys(fresh, resource)
        raise PermanentSupplierError("no_end", f"{address(self.base)}/{resource}", most=_MOST_PAGES)

    def _page(self, resource: str, filters: Filters, number: int) -> list[object]:
        try:
            return self._ask(resource, {**filters, "page": str(number), "page_size": str(_PAGE_SIZE)})
        except NotOfferedError:
            if number < _SECOND:
                raise
            # some servers know no page past their last
            return []

    def _ask(self, resource: str, filters: Filters) -> list[object]:
        return rows_of(self.client.get(f"{self.base}/{resource}", {**self.params, **filters}))


def open_desk(client: Client, url: str, key: SecretStr | None = None) -> Desk:
    """Finds out in which format a server answers, and its clock, with a question that costs it one row.

    Args:
        client: a client for the server's origin.
        url: the base address, with a query such as `?jurisdiction_id=…` where the server wants one.
        key: where it asks one.

    Raises:
        TransientSupplierError: the supplier is down.
        PermanentSupplierError: no GeoReport, refused, or without a clock.
    """
    parts = urlsplit(url)
    params = dict(parse_qsl(parts.query))
    if key is not None:
        params["api_key"] = key.get_secret_value()
    base = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    try:
        return _opened(client, base, params, _FORMATS[0])
    except NotOfferedError:
        # the standard asks for XML, and JSON only where it pleases
        return _opened(client, base, params, _FORMATS[1])


def _opened(client: Client, base: str, params: Filters, ending: str) -> Desk:
    answer = client.get(f"{base}/{_REQUESTS}{ending}", {**params, "page": "1", "page_size": "1"})
    rows = rows_of(answer)
    if answer.server_time is None:
        raise PermanentSupplierError("no_date", answer.url_without_query)
    return Desk(client, base, params, ending, answer.server_time, is_empty=not rows)


def midnight(day: date, time_zone: str) -> datetime:
    """The first moment of a city date (UTC)."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def _key(row: object, resource: str) -> str:
    """What a row of a resource is known by: its identifier, or all of it where it has none."""
    name = "update_id" if resource.startswith(_UPDATES) else _REQUEST_ID
    own = row.get(name) if isinstance(row, dict) else None
    return str(own).strip() if isinstance(own, str | int) and str(own).strip() else digest_of(row)


def _is_closed(row: Mapping[str, object]) -> bool:
    return str(row.get("status")).strip().lower() == "closed"


def _keys(rows: Iterable[object], resource: str) -> set[str]:
    return {_key(row, resource) for row in rows}


def _halves(start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], tuple[datetime, datetime]]:
    # on whole seconds, since that is what the address can say
    middle = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
    return (start, middle), (middle, end)


def _within(start: datetime, end: datetime) -> Filters:
    return {"start_date": _written(start), "end_date": _written(end)}


def _windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        until = min(start + _LONGEST_WINDOW, end)
        yield start, until
        start = until


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
