"""OCPI 2.2.1 and 2.3.0, the pull of module Locations: discovery, token, envelope, pages.

What a location holds is the business of a source module.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ingestion.delivery import Endpoint
from ingestion.errors import PermanentSupplierError, TransientSupplierError
from ingestion.http import Answer, Client, address

_VERSIONS = ("2.3.0", "2.2.1")  # best first
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_MOST_PAGES = 10_000
_SPARE_PAGES = 10
# of the hub's codes only these two say "later"
_TRY_LATER_CODES = (4002, 4003)


@dataclass(frozen=True, slots=True)
class Crawl:
    """All pages of one list.

    Attributes:
        objects: as the supplier sent them, in its order; not necessarily objects.
        server_time: the supplier's clock at the last page (UTC).
    """

    objects: list[object]
    server_time: datetime


def client_for(endpoint: Endpoint) -> Client:
    """A client that sends the token as OCPI 2.2.1 wants it: base64, without a line end."""
    if endpoint.secret is None:
        return Client(endpoint.url)
    token = base64.b64encode(endpoint.secret.value.strip().encode()).decode()
    return Client(endpoint.url, {"Authorization": f"Token {token}"})


def crawl_locations(client: Client, url: str) -> Crawl:
    """Every location of a supplier, read to the last page.

    Args:
        client: bound to the supplier's origin.
        url: the list of versions (ends in `/versions`), or the locations themselves.

    Raises:
        TransientSupplierError: the supplier is down, or twice brought fewer objects than it announced.
        PermanentSupplierError: not OCPI, refused, or its pages run in a circle.
    """
    locations = _discover(client, url) if urlsplit(url).path.rstrip("/").endswith("/versions") else url
    crawl, announced = _crawl(client, locations)
    if len(crawl.objects) < announced:
        # objects that leave the list during a crawl shift the pages: once again settles it
        crawl, announced = _crawl(client, locations)
    if len(crawl.objects) < announced:
        raise TransientSupplierError(
            f"{address(locations)}: announced {announced} objects and sent {len(crawl.objects)}, twice; "
            "nothing was loaded, the next run tries again"
        )
    return crawl


def _crawl(client: Client, url: str) -> tuple[Crawl, int]:
    objects: list[object] = []
    server_time, announced = None, 0
    for answer in _pages(client, url):
        data, server_time = _opened(answer)
        if not isinstance(data, list):
            raise PermanentSupplierError(f"{answer.url_without_query}: `data` is no list; ask the supplier")
        objects += data
        announced = _total(answer)
    if server_time is None:
        raise PermanentSupplierError(
            f"{address(url)}: tells no time, in the envelope nor in the Date header; ask the supplier"
        )
    return Crawl(objects, server_time), announced


def _pages(client: Client, url: str) -> Iterator[Answer]:
    seen: set[str] = set()
    following: str | None = url
    while following:
        if following in seen:
            raise PermanentSupplierError(f"{address(url)}: its pages run in a circle; ask the supplier")
        seen.add(following)
        answer = client.get(following)
        most = min(_total(answer) + _SPARE_PAGES, _MOST_PAGES) if _total(answer) else _MOST_PAGES
        if len(seen) > most:
            raise PermanentSupplierError(f"{address(url)}: has no end after {most} pages; ask the supplier")
        yield answer
        found = _NEXT.search(answer.headers.get("link", ""))
        following = found.group(1) if found else None


def _opened(answer: Answer) -> tuple[object, datetime | None]:
    """The data of an envelope and the server's time; a 200 can still be a failure."""
    envelope = answer.json()
    if not isinstance(envelope, dict) or "status_code" not in envelope:
        raise PermanentSupplierError(f"{answer.url_without_query}: sent no OCPI envelope; check the address")
    code = envelope["status_code"]
    if not isinstance(code, int) or not 1000 <= code < 2000:
        later = isinstance(code, int) and (3000 <= code < 4000 or code in _TRY_LATER_CODES)
        failure = TransientSupplierError if later else PermanentSupplierError
        raise failure(f"{answer.url_without_query}: answered OCPI status {code!r:.20}; ask the supplier")
    return envelope.get("data"), _moment(envelope.get("timestamp")) or answer.server_time


def _moment(written: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    # no designator means UTC (OCPI 2.2.1, types, DateTime)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _total(answer: Answer) -> int:
    written = answer.headers.get("x-total-count", "").strip()
    return int(written) if written.isdecimal() else 0


def _discover(client: Client, url: str) -> str:
    """From the list of versions to the address of the locations."""
    offered = _entries(client.get(url), None)
    by_version = {entry.get("version"): entry.get("url") for entry in offered}
    details = next((by_version[version] for version in _VERSIONS if by_version.get(version)), None)
    if not isinstance(details, str):
        raise PermanentSupplierError(
            f"{address(url)}: offers neither OCPI {' nor '.join(_VERSIONS)}, but "
            f"{', '.join(str(version) for version in by_version) or 'nothing'}; ask the supplier"
        )
    for entry in _entries(client.get(details), "endpoints"):
        # a receiver's address only takes pushes
        if entry.get("identifier") == "locations" and entry.get("role", "SENDER") == "SENDER":
            return str(entry.get("url"))
    raise PermanentSupplierError(f"{address(details)}: publishes no locations; ask the supplier")


def _entries(answer: Answer, within: str | None) -> list[dict[str, object]]:
    data, _ = _opened(answer)
    found = data.get(within) if within and isinstance(data, dict) else data
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
