"""Open311 GeoReport v2: requests and updates by windows of time, with the paging that servers really have.

The standard filters on the moment of asking only, caps an answer (often at 1 000) and knows no pages; most
servers take `page` and `page_size`. A window is read until it is certainly whole, or refused. The reply log is
FixMyStreet's extension `servicerequestupdates`; `updated_after` is the draft of version 2.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from ingestion.delivery import Endpoint
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
_MOST_PAGES = 10_000
_FORMATS = (".json", ".xml")
_REQUESTS = "requests"
_UPDATES = "servicerequestupdates"

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
        return self._between(f"{_REQUESTS}{self.requests_format}", start, end)

    def requests_named(self, ids: Sequence[str]) -> list[object]:
        """The requests with these identifiers, as far as the server still has them."""
        chunks = (ids[first : first + _IDS_AT_ONCE] for first in range(0, len(ids), _IDS_AT_ONCE))
        resource = f"{_REQUESTS}{self.requests_format}"
        return [row for chunk in chunks for row in self._ask(resource, _named(chunk))]

    def filters_on_change(self) -> bool:
        """Whether it knows `updated_after`: a moment to come empties an answer that otherwise holds rows."""
        far = {"updated_after": _written(self.server_time + _FAR), "page": "1", "page_size": "1"}
        try:
            return not self.is_empty and not self._ask(f"{_REQUESTS}{self.requests_format}", far)
        except PermanentSupplierError:
            return False

    def requests_changed(self, after: datetime) -> list[object] | None:
        """The requests changed after a moment; None when the server may hold rows back."""
        return self._all_pages(f"{_REQUESTS}{self.requests_format}", {"updated_after": _written(after)})

    def updates_between(self, start: datetime, end: datetime) -> list[object] | None:
        """What was said and done to requests in a period; None when the server keeps no such log.

        Raises:
            PermanentSupplierError: an hour of it can never be read whole.
        """
        for ending in (".xml", ".json"):
            try:
                return self._between(f"{_UPDATES}{ending}", start, end)
            except NotOfferedError:
                continue
        return None

    def _between(self, resource: str, start: datetime, end: datetime) -> list[object]:
        return [row for window in _windows(start, end) for row in self._window(resource, *window)]

    def _window(self, resource: str, start: datetime, end: datetime) -> list[object]:
        """All rows of a window, halved as long as the server may have cut it short."""
        rows = self._all_pages(resource, {"start_date": _written(start), "end_date": _written(end)})
        if rows is not None:
            return rows
        if end - start <= _SHORTEST_WINDOW:
            raise PermanentSupplierError(
                f"{address(self.base)}/{resource}: cuts the rows of {start:%Y-%m-%d %H:%M} UTC short and knows no "
                "pages, even for one hour; nothing was loaded. Ask the supplier for `page` and `page_size`"
            )
        # on whole seconds, since that is what the address can say
        middle = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
        return self._window(resource, start, middle) + self._window(resource, middle, end)

    def _all_pages(self, resource: str, filters: Filters) -> list[object] | None:
        """The rows of every page; None when the server knows no pages and may hold rows back."""
        rows = first = self._page(resource, filters, 1)
        for number in range(2, _MOST_PAGES):
            # a first page may be short because the server's own limit is smaller: only the next page tells
            page = self._page(resource, filters, number) if first else []
            if page and page[0] == first[0]:
                return None if len(first) % _LIMIT_STEP == 0 else first
            rows = rows + page
            if len(page) < len(first) or not page:
                return rows
        raise PermanentSupplierError(f"{address(self.base)}/{resource}: has no end after {_MOST_PAGES} pages")

    def _page(self, resource: str, filters: Filters, number: int) -> list[object]:
        return self._ask(resource, {**filters, "page": str(number), "page_size": str(_PAGE_SIZE)})

    def _ask(self, resource: str, filters: Filters) -> list[object]:
        return rows_of(self.client.get(f"{self.base}/{resource}", {**self.params, **filters}))


def open_desk(client: Client, endpoint: Endpoint) -> Desk:
    """Finds out in which format a server answers, and its clock, with a question that costs it one row.

    Args:
        client: a client for the endpoint's origin.
        endpoint: the base address, with a query such as `?jurisdiction_id=…` where the server wants one.

    Raises:
        TransientSupplierError: the supplier is down.
        PermanentSupplierError: no GeoReport, refused, or without a clock.
    """
    parts = urlsplit(endpoint.url)
    params = dict(parse_qsl(parts.query))
    if endpoint.secret is not None:
        params["api_key"] = endpoint.secret.value
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
        raise PermanentSupplierError(f"{answer.url_without_query}: sends no legible Date header; ask the supplier")
    return Desk(client, base, params, ending, answer.server_time, is_empty=not rows)


def midnight(day: date, time_zone: str) -> datetime:
    """The first moment of a city date (UTC)."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def _named(ids: Sequence[str]) -> Filters:
    return {"service_request_id": ",".join(ids), "page_size": str(_PAGE_SIZE)}


def _windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        until = min(start + _LONGEST_WINDOW, end)
        yield start, until
        start = until


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
