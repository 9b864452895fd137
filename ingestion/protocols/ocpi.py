"""OCPI 2.2.1 and 2.3.0 as a receiver: discovery, token, envelope, pages; and the two shapes OCPI objects also come in.

What an object holds is the business of a source module.
"""

import base64
import io
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from pydantic import SecretStr

from ingestion.clocks import disagreement
from ingestion.errors import PermanentSupplierError, TransientSupplierError
from ingestion.http import Answer, Client, LaterError, Trail, address
from ingestion.inflating import GZIP_START, GZIP_WINDOW, BrokenPackingError, HalfPackingError, inflated, most_unpacked

LOCATIONS, SESSIONS, CDRS = "locations", "sessions", "cdrs"
_VERSIONS = ("2.3.0", "2.2.1")  # best first
_FIRST_YEAR = 2000
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
# as the body calls it
_CURSOR = "next"
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_MOST_PAGES = 10_000
_START = 2_000
_SPARE_PAGES = 10
_MOST_REDONE = 50
_MOST_MISSING = 0.1
_FEW = 1


class Shape(StrEnum):
    """How a supplier lays out its objects; only the first is OCPI's own."""

    PAGED = "paged"
    ARRAY = "array"
    CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Crawl:
    """All pages of one list.

    Attributes:
        objects: as the supplier sent them, in its order; not necessarily objects.
        started_at: the supplier's clock at the first page: what changed later may be missing (UTC).
        server_time: the supplier's clock at the last page (UTC).
        shape: only a paged list can be asked by window; the others always are the whole list.
        warnings: what the first page tells of the supplier's clocks.
        lacking: what is missing by the supplier's own count, which then is no pull of everything; mostly nothing.
    """

    objects: list[object]
    started_at: datetime
    server_time: datetime
    shape: Shape = Shape.PAGED
    warnings: tuple[str, ...] = ()
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class _Page:
    shown: str
    shape: Shape
    objects: list[object]
    moment: datetime
    total: int | None = None
    following: str | None = None
    warnings: tuple[str, ...] = ()


def header_name(written: str) -> str:
    """The name of a header, as a setting gives it.

    Raises:
        ValueError: it is none.
    """
    if not _HEADER.fullmatch(written):
        raise ValueError("write the name of a header, such as X-Api-Key")
    return written


def token_header(secret: SecretStr | None, encoding: str | None = None, header: str | None = None) -> dict[str, str]:
    """The header that carries a credentials token.

    Args:
        secret: the token; a line end around it is no part of it (the example of OCPI 2.2.1, 4.1.1, has one).
        encoding: `base64`, as OCPI 2.2.1 wants it and as None means, or `raw`, as many older peers do.
        header: the name of another header, which then holds the token alone, raw where nothing else is said.
    """
    if secret is None:
        return {}
    token, is_raw = secret.get_secret_value().strip(), encoding == "raw" or (header is not None and encoding is None)
    written = token if is_raw else base64.b64encode(token.encode()).decode()
    return {header: written} if header else {"Authorization": f"Token {written}"}


def discover(client: Client, url: str) -> Mapping[str, str]:
    """The addresses of the modules that the supplier sends, by module identifier (OCPI 2.2.1, 6).

    Args:
        client: bound to the supplier's origin.
        url: the list of versions (ends in `/versions`), or the locations themselves.

    Raises:
        PermanentSupplierError: no version we speak, or no locations to read.
    """
    if not urlsplit(url).path.rstrip("/").endswith("/versions"):
        return {LOCATIONS: url}
    details = _best_version(client, url)
    # a receiver's address only takes pushes
    found = {
        str(entry.get("identifier")).lower(): str(entry.get("url"))
        for entry in _entries(client, details, "endpoints")
        if str(entry.get("role", "SENDER")).upper() == "SENDER" and entry.get("url")
    }
    if LOCATIONS not in found:
        raise PermanentSupplierError("no_locations", address(details))
    return found


def server_clock(client: Client, url: str) -> datetime:
    """The supplier's clock (UTC), asked where no list could tell it.

    Args:
        client: bound to the supplier's origin.
        url: the list of versions.

    Raises:
        TransientSupplierError, PermanentSupplierError: see `discover`; the latter too where it tells no time.
    """
    answer = client.get(url)
    return _time(_member(answer.json(), "timestamp"), answer)


def crawl(
    client: Client, url: str, date_from: datetime | None = None, shape: Shape | None = None, cursor: str | None = None
) -> Crawl:
    """Every object of a list, read to the last page.

    Args:
        client: bound to the supplier's origin.
        url: the list.
        date_from: only objects changed at or after it (UTC); None asks for all.
        shape: the shape it must have; None finds out.
        cursor: the name under which a cursor goes back, where it is not `next`, as the body calls it.

    Raises:
        TransientSupplierError: the supplier is down, or twice brought fewer objects than it announced: other ones each
            time, or over a tenth too few. A few too few, and the same twice, is a fault of its count.
        PermanentSupplierError: not OCPI, refused, of another shape, or its pages run in a circle.
    """
    first = _with_query(url, date_from=f"{date_from:%Y-%m-%dT%H:%M:%SZ}") if date_from else url
    # objects that leave the list during a crawl shift the pages: once again settles it
    walks = [_Walk(client, first, shape, cursor or _CURSOR) for _ in range(2)]
    for walk in walks:
        walk.go()
        if walk.is_whole():
            return walk.told()
    before, walk = walks
    lacking = f"{address(url)}: announced {walk.announced} objects and sent {walk.distinct()}, twice"
    if walk.is_miscounted() and walk.outcome() == before.outcome():
        return replace(walk.told(), lacking=f"{lacking}; what came was taken in, the rest is asked again")
    raise TransientSupplierError("lacking", lacking=lacking)


@dataclass(slots=True)
class _Walk:
    """One way through the pages of a list."""

    client: Client
    first: str
    expected: Shape | None
    cursor: str
    pages: list[_Page] = field(default_factory=list)
    announced: int = 0
    redone: int = 0
    has_slipped: bool = False

    def go(self) -> None:
        trail = self._trail()
        following: str | None = self.first
        while following:
            trail.step(following)
            page = self.client.read(following, partial(_page, url=following, walk=self))
            earlier = self._earlier(following, page)
            if earlier and self.redone < _MOST_REDONE:
                # what followed was asked by the old count: from here on it is another way
                self.redone, trail, following = self.redone + 1, self._trail(), earlier
                continue
            self._take(page)
            following = page.following

    def _take(self, page: _Page) -> None:
        known = self.distinct() if self.redone else 0
        self.pages.append(page)
        if self.redone and self.distinct() == known:
            # what fell is no total, but the size of a page or what remains: going back for it has no end
            self.redone = _MOST_REDONE
        self._require_an_end(page)

    def is_whole(self) -> bool:
        return not self.has_slipped and self.distinct() >= self.announced

    def distinct(self) -> int:
        named = [_identity(sent) for page in self.pages for sent in page.objects]
        return len(set(named) - {None}) + named.count(None)

    def is_miscounted(self) -> bool:
        """Whether so few are missing, in a list that stood still, that the count may be wrong instead."""
        missing = self.announced - self.distinct()
        return not self.has_slipped and not self.redone and missing <= max(_FEW, _MOST_MISSING * self.announced)

    def outcome(self) -> tuple[int, frozenset[object]]:
        """What two walks through a list that stands still have in common."""
        return self.announced, frozenset(map(_identity, self._objects()))

    def told(self) -> Crawl:
        first, last = self.pages[0], self.pages[-1]
        return Crawl(self._objects(), first.moment, last.moment, first.shape, first.warnings)

    def _objects(self) -> list[object]:
        """Every object; what two pages show alike, for they may overlap, once."""
        sent = [each for page in self.pages for each in page.objects]
        alike = [
            json.dumps(each, sort_keys=True) if _identity(each) else position for position, each in enumerate(sent)
        ]
        return list(dict(zip(alike, sent, strict=True)).values())

    def _trail(self) -> Trail:
        return Trail(address(self.first), _MOST_PAGES)

    def _require_an_end(self, page: _Page) -> None:
        most = _MOST_PAGES if page.total is None else min(page.total + self.redone + _SPARE_PAGES, _MOST_PAGES)
        if len(self.pages) > most:
            raise PermanentSupplierError("no_end", address(self.first), most=most)

    def _earlier(self, url: str, page: _Page) -> str | None:
        """The page to ask instead, where the total fell: as many places earlier (OCPI 2.2.1, 4.1.4.2)."""
        if page.total is None:
            return None
        fallen = self.announced - page.total if self.pages else 0
        self.announced = page.total
        if fallen <= 0:
            return None
        offset = dict(parse_qsl(urlsplit(url).query)).get("offset", "")
        # without an offset in the address nobody can go back: the whole list once more
        self.has_slipped = self.has_slipped or not offset.isdecimal()
        return _with_query(url, offset=str(max(int(offset) - fallen, 0))) if offset.isdecimal() else None


def _page(answer: Answer, url: str, walk: _Walk) -> _Page:
    body = _body(_unpacked(answer))
    shape, foreign = _shape_of(body), _foreign_format(body)
    if foreign:
        raise PermanentSupplierError("foreign_format", answer.url_without_query, format=foreign)
    if shape is None:
        raise PermanentSupplierError("no_envelope", answer.url_without_query)
    if walk.expected not in (None, shape):
        raise PermanentSupplierError("other_shape", answer.url_without_query, shape=shape, expected=walk.expected)
    if shape is Shape.PAGED:
        return _paged(answer, body, url)
    objects = body if isinstance(body, list) else _member(body, "items")
    following = _after_cursor(url, _member(body, "next"), walk.cursor)
    if following == url:
        raise PermanentSupplierError("same_cursor", answer.url_without_query, cursor=f"{walk.cursor!r}")
    return _Page(answer.url_without_query, shape, _listed(objects, answer), _time(None, answer), following=following)


def _body(answer: Answer) -> object:
    if answer.body.lstrip()[:1] == b"<" and b"datex" in answer.body[:_START].lower():
        raise PermanentSupplierError("foreign_format", answer.url_without_query, format="DATEX II")
    return answer.json()


def _foreign_format(body: object) -> str | None:
    """The name of another format of charge points, by what stands at its root."""
    root = body[0] if isinstance(body, list) and body else body
    if not isinstance(root, dict):
        return None
    inside = [name for each in (root, root.get("payload"), root.get("messageContainer")) for name in each or ()]
    names = {str(name).lower() for name in inside}
    if any("energyinfrastructure" in name for name in names) or names & {"modelbaseversiong", "exchangeinformation"}:
        return "DATEX II"
    if "evsedata" in names or "evsedatarecord" in names:
        return "EVSEData (OICP)"
    return "GeoJSON" if root.get("type") in ("FeatureCollection", "Feature") else None


def _paged(answer: Answer, body: object, url: str) -> _Page:
    data = _opened(answer, body)
    found = _NEXT.search(answer.headers.get("link", ""))
    written = answer.headers.get("x-total-count", "").strip()
    said = _set_clock(moment(_member(body, "timestamp")))
    clocks = disagreement(answer.url_without_query, said, answer.server_time) if said and answer.server_time else ()
    return _Page(
        answer.url_without_query,
        Shape.PAGED,
        _listed(data, answer),
        _time(_member(body, "timestamp"), answer),
        int(written) if written.isdecimal() else None,
        _linked(url, found.group(1)) if found else None,
        clocks,
    )


def _shape_of(body: object) -> Shape | None:
    if isinstance(body, list):
        return Shape.ARRAY
    if isinstance(body, dict) and "status_code" in body:
        return Shape.PAGED
    return Shape.CURSOR if isinstance(body, dict) and "items" in body else None


def _opened(answer: Answer, body: object) -> object:
    """The data of an envelope; a 200 can still be a failure."""
    code = _member(body, "status_code")
    if isinstance(code, int) and 1000 <= code < 2000:
        return _member(body, "data")
    if isinstance(code, int) and 3000 <= code < 5000:
        # the server or the hub cannot answer now
        raise LaterError(f"answered OCPI status {code}")
    raise PermanentSupplierError("ocpi_status", answer.url_without_query, status=f"{code!r:.20}")


def _listed(data: object, answer: Answer) -> list[object]:
    if not isinstance(data, list):
        raise PermanentSupplierError("no_list", answer.url_without_query)
    return data


def _member(body: object, name: str) -> object:
    return body.get(name) if isinstance(body, dict) else None


def _time(written: object, answer: Answer) -> datetime:
    """The earlier of envelope and Date header: what changed since the later one would never be asked again."""
    told = [said for said in map(_set_clock, (moment(written), answer.server_time)) if said]
    if not told:
        raise PermanentSupplierError("no_time", answer.url_without_query)
    return min(told)


def _set_clock(said: datetime | None) -> datetime | None:
    """What a clock says; one that was never set stands at the year 1 or 1970 and says nothing."""
    return said if said and said.year >= _FIRST_YEAR else None


def moment(written: object) -> datetime | None:
    """An OCPI DateTime in UTC; None where it is none."""
    try:
        read = datetime.fromisoformat(str(written))
        # no designator means UTC (OCPI 2.2.1, types, DateTime)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _unpacked(answer: Answer) -> Answer:
    """The answer with its body unpacked: a `.json.gz` is served as a file, so no client unpacks it on the way."""
    if not answer.body.startswith(GZIP_START):
        return answer
    body = io.BytesIO()
    most = most_unpacked(len(answer.body))

    def take(size: int) -> None:
        if body.tell() + size > most:
            raise PermanentSupplierError(
                "answer_too_large", answer.url_without_query, size=len(answer.body), most=most // 2**20
            )

    try:
        body.writelines(inflated(answer.body, GZIP_WINDOW, take))
    except HalfPackingError:
        raise LaterError("sent half a gzip") from None
    except BrokenPackingError as broken:
        raise LaterError(f"sent a broken gzip ({broken})") from None
    return replace(answer, body=body.getvalue())


def _after_cursor(url: str, cursor: object, name: str) -> str | None:
    if not isinstance(cursor, str | int) or cursor in ("", False):
        return None
    # an address is followed as it stands
    is_address = str(cursor).lower().startswith(("http://", "https://"))
    return str(cursor) if is_address else _with_query(url, **{name: str(cursor)})


def _linked(url: str, link: str) -> str:
    """Where a link leads, which may be named without its host."""
    with suppress(ValueError):
        return urljoin(url, link)
    # the client says what is wrong with it
    return link


def _with_query(url: str, **values: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        # the client says what is wrong with it
        return url
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in values]
    return urlunsplit(parts._replace(query=urlencode([*kept, *values.items()])))


def _identity(sent: object) -> tuple[object, ...] | None:
    """What names an object; None for what cannot be another one again."""
    if isinstance(sent, dict) and isinstance(sent.get("id"), str | int):
        return str(sent.get("country_code")), str(sent.get("party_id")), sent["id"]
    return None


def _best_version(client: Client, url: str) -> str:
    """The address of the details of the highest version both sides speak."""
    by_version = {str(entry.get("version")): entry.get("url") for entry in _entries(client, url, None)}
    details = next((by_version[version] for version in _VERSIONS if by_version.get(version)), None)
    if isinstance(details, str):
        return details
    raise PermanentSupplierError(
        "no_version", address(url), versions=" nor ".join(_VERSIONS), offered=", ".join(by_version)[:100] or "nothing"
    )


def _entries(client: Client, url: str, within: str | None) -> list[dict[str, object]]:
    data = client.read(url, _data)
    found = _member(data, within) if within and isinstance(data, dict) else data
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _data(answer: Answer) -> object:
    body = answer.json()
    if _shape_of(body) is not Shape.PAGED:
        raise PermanentSupplierError("no_envelope", answer.url_without_query)
    return _opened(answer, body)
