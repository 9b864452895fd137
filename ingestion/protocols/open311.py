"""Open311 GeoReport v2: requests by windows of their asking date, with the paging that servers really have.

The standard filters on the moment of asking only, caps an answer (often at 1 000) and knows no pages; most
servers take `page` and `page_size`. A window is read until it is certainly whole, or refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from ingestion.delivery import Endpoint
from ingestion.errors import PermanentSupplierError
from ingestion.http import Answer, Client, address

_PAGE_SIZE = 1000
_LONGEST_WINDOW = timedelta(days=30)
_SHORTEST_WINDOW = timedelta(hours=1)
_DEFAULT_HISTORY = timedelta(days=120)
# every limit seen in the field is a multiple of it
_LIMIT_STEP = 50
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests asked from the first day of interest until the server's time.

    Attributes:
        rows: as the supplier sent them; not necessarily objects.
    """

    rows: list[object]
    server_time: datetime


@dataclass(frozen=True, slots=True)
class _Server:
    client: Client
    url: str
    params: dict[str, str] = field(repr=False)

    def ask(self, **params: str | int) -> Answer:
        return self.client.get(self.url, self.params | {name: str(value) for name, value in params.items()})


def read_requests(endpoint: Endpoint, time_zone: str) -> Requests:
    """Reads every request since the endpoint's first date, by default since 120 days ago.

    Args:
        endpoint: the base address, with a query such as `?jurisdiction_id=…` where the server wants one.
        time_zone: of the city whose date the endpoint names.

    Raises:
        TransientSupplierError: the supplier is down.
        PermanentSupplierError: not GeoReport JSON, refused, or a window can never be read whole.
    """
    with Client(endpoint.url) as client:
        server = _server(client, endpoint)
        now = _server_time(server)
        start = _midnight(endpoint.since, time_zone) if endpoint.since else now - _DEFAULT_HISTORY
        rows = [row for window in _windows(start, now) for row in _window(server, *window)]
    return Requests(rows, now)


def _server(client: Client, endpoint: Endpoint) -> _Server:
    parts = urlsplit(endpoint.url)
    params = dict(parse_qsl(parts.query))
    if endpoint.secret is not None:
        params["api_key"] = endpoint.secret.value
    url = urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/requests.json", "", ""))
    return _Server(client, url, params)


def _server_time(server: _Server) -> datetime:
    """The server's clock, from an answer that costs it one row."""
    answer = server.ask(page=1, page_size=1)
    if answer.server_time is None:
        raise PermanentSupplierError(f"{address(server.url)}: sends no legible Date header; ask the supplier")
    return answer.server_time


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def _windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        until = min(start + _LONGEST_WINDOW, end)
        yield start, until
        start = until


def _window(server: _Server, start: datetime, end: datetime) -> list[object]:
    """All rows of a window, halved as long as the server may have cut it short."""
    rows = _all_pages(server, start, end)
    if rows is not None:
        return rows
    if end - start <= _SHORTEST_WINDOW:
        raise PermanentSupplierError(
            f"{address(server.url)}: cuts the requests of {start:%Y-%m-%d %H:%M} UTC short and knows no pages, even "
            "for one hour; nothing was loaded. Ask the supplier for `page` and `page_size`"
        )
    # on whole seconds, since that is what the address can say
    middle = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
    return _window(server, start, middle) + _window(server, middle, end)


def _all_pages(server: _Server, start: datetime, end: datetime) -> list[object] | None:
    """The rows of every page; None when the server knows no pages and may hold rows back."""
    rows = first = _page(server, start, end, 1)
    for number in range(2, _MOST_PAGES):
        # a first page may be short because the server's own limit is smaller: only the next page tells
        page = _page(server, start, end, number) if first else []
        if page and page[0] == first[0]:
            return None if len(first) % _LIMIT_STEP == 0 else first
        rows = rows + page
        if len(page) < len(first) or not page:
            return rows
    raise PermanentSupplierError(f"{address(server.url)}: has no end after {_MOST_PAGES} pages; ask the supplier")


def _page(server: _Server, start: datetime, end: datetime, number: int) -> list[object]:
    answer = server.ask(start_date=_written(start), end_date=_written(end), page=number, page_size=_PAGE_SIZE)
    rows = answer.json()
    if not isinstance(rows, list):
        raise PermanentSupplierError(f"{answer.url_without_query}: sent no list of requests; check the address")
    return rows


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
