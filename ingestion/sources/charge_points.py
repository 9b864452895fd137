"""Charge points: OCPI locations as flat tables of text, and sessions as energy per hour.

Nothing is lost on the way: an object that is not one still becomes a row, and the gate says why it is bad. Only what
is private stays outside: a post that its owner does not publish or that stands on a driveway, and every session.
Of a post that was public only this comes in: that it is gone.

Belongs here: the settings, what is asked of the locations, who is private, and what may be concluded from what a pull
names and no longer names. Does not belong here: which value stands in which column (`charge_point_rows`), which days of
sessions are asked (`charge_sessions`), how a memory is kept (`protocols.ocpi_memory`), the wire (`protocols.ocpi`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt, PositiveInt, SecretStr

from contracts.sources.charge_points import EVSES, LOCATIONS
from contracts.vocabulary import LINE
from ingestion.areas import Areas
from ingestion.charge_point_rows import Row, as_object, as_text, flatten, numbered, row_count, table_of, with_areas
from ingestion.charge_sessions import SessionPull, Sessions, city_date
from ingestion.clocks import clock_warnings, not_past, stamp_warnings
from ingestion.delivery import Context, Delivery
from ingestion.endpoint import Endpoint
from ingestion.errors import PermanentSupplierError, SupplierError
from ingestion.http import Client, address, listed_origins
from ingestion.protocols import ocpi, ocpi_sessions
from ingestion.protocols.ocpi_memory import LATEST_CREDIT, Known, Memory, evse_digest
from ingestion.source import AskedSource

_OVERLAP = timedelta(minutes=10)
_MOST_MISSING = 0.10
_MOST_DROPPED = 0.20
# one post that goes is no disappearance, however small the operator
_FEW = 2
# more than all of Flanders: two bytes of an answer may become a row of thirteen cells
_MOST_ROWS = 300_000
_UNPUBLISHED = "privélaadpunt: de uitbater maakt het niet openbaar (publish = false)"
_DRIVEWAY = "privélaadpunt: het staat op een oprit (ON_DRIVEWAY)"


class OcpiEndpoint(Endpoint):
    """How an operator of charge points is asked."""

    url: str
    """The OCPI 2.2.1 versions or locations endpoint."""
    token: SecretStr | None = None
    """The token that the operator gave."""
    token_encoding: Literal["base64", "raw"] | None = None
    """How the token is sent: base64 (default, as OCPI wants it) or raw, as older peers want it."""
    token_header: Annotated[str, AfterValidator(ocpi.header_name)] | None = None
    """The header that holds the token alone, where it is not Authorization (chargecloud: X-Api-Key)."""
    origins: Annotated[tuple[str, ...], BeforeValidator(listed_origins)] = Field((), repr=False)
    """Further origins (https://host or https://host:port, with commas) that the operator's versions or pages may lead
    to; each is asked with the token above, any other never. Only for addresses of which the operator says that they are
    its own."""
    shape: ocpi.Shape | None = None
    """The shape of the answers: paged (OCPI), array (one file, packed or not) or cursor (items and next); empty: found
    out."""
    cursor: str | None = None
    """The parameter in which a cursor goes back, of locations and sessions alike (chargecloud: cursor); empty: next."""
    full_every_days: NonNegativeInt = 7
    """Every how many days everything is asked instead of the changes; 0 is always."""
    accept_shrink_on: date | None = None
    """The date (YYYY-MM-DD) on which a stock that shrinks by more than a tenth is taken in; empty: refused."""
    sessions: Literal["0", "1", "sessions", "cdrs"] = "0"
    """1 reads sessions and CDRs too, where the operator offers them; only energy per hour is kept. Where either fails
    none is taken in; `cdrs` or `sessions` asks only that one."""
    session_days: PositiveInt = 31
    """Of how many last days sessions are read."""

    @property
    def session_modules(self) -> tuple[str, ...]:
        """The modules of sessions that are asked."""
        return {"0": (), "1": (ocpi.SESSIONS, ocpi.CDRS)}.get(self.sessions, (self.sessions,))


@dataclass(frozen=True, slots=True)
class _Stock:
    """The public charge points that a pull named.

    Attributes:
        tables: locations, evses and connectors as text.
        known: the EVSEs that are known after it.
        locations: how many public locations it named.
    """

    crawl: ocpi.Crawl
    tables: dict[str, pl.DataFrame]
    known: Known
    locations: int


@dataclass(slots=True)
class _Pull:
    """One pull: what is asked, and what may be concluded from the answer."""

    client: Client
    options: OcpiEndpoint
    context: Context
    memory: Memory
    areas: Areas | None
    is_full: bool = True
    warnings: list[str] = field(default_factory=list)
    withheld: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def stock(self, url: str) -> _Stock:
        """The locations that are there, or that changed.

        Raises:
            SupplierError: they cannot be read, or too many are gone at once.
        """
        crawl = self.crawl(url)
        if crawl.lacking:
            # what is not named may be there: nothing is concluded from it
            self.is_full = False
            self.warnings.append(crawl.lacking)
        _require_modest(crawl.objects)
        public = self.let_in(crawl.objects)
        tables = flatten(public)
        locations = _count(tables["locations"], LOCATIONS.key)
        known = self.known_after(crawl, locations, _digests(tables["evses"]))
        tables["evses"] = numbered(pl.concat([tables["evses"], self.turned_private(crawl)]).drop(LINE))
        tables["locations"] = with_areas(tables["locations"], self.areas, self.context.city)
        stamps = [stamp for frame in tables.values() for stamp in map(ocpi.moment, frame["last_updated"]) if stamp]
        self.warnings += stamp_warnings(address(url), stamps, crawl.server_time)
        # a stamp of tomorrow would outdate every true change until then, and the gate refuses it
        tables = {name: _changed_by(frame, crawl.server_time) for name, frame in tables.items()}
        return _Stock(crawl, tables, known, locations)

    def crawl(self, url: str) -> ocpi.Crawl:
        """What changed since the last pull, with an overlap; everything when that is due by the operator's clock."""
        memory, full_every = self.memory, timedelta(days=self.options.full_every_days)
        knows = memory.full_at and memory.until and memory.evses and memory.is_bounded == (self.areas is not None)
        if knows and memory.until and memory.full_at and memory.shape == ocpi.Shape.PAGED and full_every:
            found = self.listed(url, memory.until - _OVERLAP)
            self.is_full = found.shape is not ocpi.Shape.PAGED
            if self.is_full or found.started_at - memory.full_at < full_every:
                return found
        self.is_full = True
        return self.listed(url)

    def listed(self, url: str, date_from: datetime | None = None) -> ocpi.Crawl:
        """A list of locations, at moments that are not past our own, nor each other.

        What came after our own time would be refused, and a day would be read before it is over.
        """
        asked_at = self.context.now()
        found = ocpi.crawl(self.client, url, date_from, self.options.shape, self.options.cursor)
        # the last page has just come: of the clocks only this one shows the same moment as ours
        now = self.context.now()
        ended_at = not_past(found.server_time, now)
        return replace(
            found,
            started_at=min(not_past(found.started_at, asked_at), ended_at),
            server_time=ended_at,
            warnings=(*found.warnings, *clock_warnings(address(url), found.server_time, now)),
        )

    def let_in(self, sent: Iterable[object]) -> list[object]:
        """The locations that are not private; of the others only the number of their rows is kept."""
        public = []
        for each in sent:
            reason = _why_private(as_object(each))
            if reason is None:
                public.append(each)
            else:
                self.withheld[reason] += row_count(as_object(each))
        return public

    def remembered(self, stock: _Stock | None, sessions: Sessions) -> Memory:
        """What the next pull must know; of a part that failed or was not asked, what was known before."""
        memory = self.memory
        if not self.options.session_modules:
            memory = replace(memory, sessions_on="", credited=frozenset())
        elif sessions.last:
            memory = replace(memory, sessions_on=sessions.read_on, credited=sessions.credited)
        if stock is None:
            return memory
        until = stock.crawl.started_at
        return replace(
            memory,
            # what is lacking may have changed since the last pull that was whole
            until=memory.until if stock.crawl.lacking else until,
            full_at=until if self.is_full else memory.full_at,
            evses=stock.known.evses,
            gone=stock.known.gone,
            locations=stock.locations if self.is_full else memory.locations,
            shape=str(stock.crawl.shape),
            is_bounded=self.areas is not None,
        )

    def known_after(self, crawl: ocpi.Crawl, locations: int, found: frozenset[str]) -> Known:
        """The EVSEs known after this pull.

        Raises:
            PermanentSupplierError: too many of them are gone at once.
        """
        memory, private, today = (
            self.memory,
            _digests(_private_evses(crawl)),
            city_date(crawl.started_at, self.context.city),
        )
        if self.is_full and self.options.accept_shrink_on != today:
            _require_no_disappearance(memory, found, locations)
        evses = found if self.is_full else (memory.evses | found) - private
        gone = {**dict.fromkeys(memory.evses, today.isoformat()), **memory.gone}
        # one that turned private is not remembered
        there, earliest = evses | private, (today - LATEST_CREDIT).isoformat()
        return Known(evses, {evse: day for evse, day in gone.items() if evse not in there and day >= earliest})

    def turned_private(self, crawl: ocpi.Crawl) -> pl.DataFrame:
        """The EVSEs that were public and no longer are, as removed; the next full pull simply no longer names them."""
        private = _private_evses(crawl)
        was_public = [evse_digest(ocpi_sessions.evse_key(*row)) in self.memory.evses for row in _named(private)]
        gone = private.filter(pl.Series(was_public, dtype=pl.Boolean) & (not self.is_full))
        return gone.with_columns(status=pl.lit("REMOVED"), parking_restrictions=pl.lit(None, pl.String))

    def is_first_of_hour(self, crawl: ocpi.Crawl) -> bool:
        """Whether no pull before this one was in the same hour: that charge points stand as they stood is news once."""
        hour_at = crawl.server_time.replace(minute=0, second=0, microsecond=0)
        return self.memory.until is None or self.memory.until < hour_at

    def sessions(self, modules: Mapping[str, str], clock: datetime, known: Known) -> Sessions:
        """The sessions of the last whole days, where the settings ask them and the operator offers them."""
        options = self.options
        asked = (options.session_modules, options.session_days, options.cursor)
        pull = SessionPull(self.client, self.context.city, self.memory, *asked)
        found = pull.read(modules, clock, known)
        self.warnings += pull.warnings
        self.withheld.update(pull.withheld)
        self.faults |= pull.faults
        return found


class ChargePoints(AskedSource[OcpiEndpoint]):
    """The public charge points of an operator and what was charged at them."""

    endpoint = OcpiEndpoint

    def fetch(self, endpoint: OcpiEndpoint, context: Context) -> Delivery:
        """What changed at the operator since the last pull, or everything; and the sessions of the last whole days.

        Where locations or sessions fail, the other still comes: the delivery names the fault, what it remembers of the
        part that failed stays as it was, and without locations it speaks until nowhere.

        Raises:
            TransientSupplierError, PermanentSupplierError: nothing can be read, see `ingestion.protocols.ocpi`; the
                latter too when more than a tenth of the EVSEs is gone at once. The state before it stands.
        """
        headers = ocpi.token_header(endpoint.token, endpoint.token_encoding, endpoint.token_header)
        memory, areas = Memory.read(context.memory), context.areas()
        # who lists an origin says that it is this operator's, so it gets the token too
        also = dict.fromkeys(endpoint.origins, headers)
        with Client(endpoint.url, headers, also=also) as client:
            pull = _Pull(client, endpoint, context, memory, areas)
            modules = ocpi.discover(client, endpoint.url)
            try:
                stock = pull.stock(modules[ocpi.LOCATIONS])
            except SupplierError as broken:
                return _sessions_alone(pull, endpoint.url, modules, broken)
            sessions = pull.sessions(modules, stock.crawl.started_at, stock.known)
        delivery = _delivery(address(endpoint.url), pull, stock.crawl, stock, sessions)
        return replace(delivery, complete_until=stock.crawl.started_at)


SOURCE = ChargePoints()


def _sessions_alone(pull: _Pull, url: str, modules: Mapping[str, str], broken: SupplierError) -> Delivery:
    """The sessions at the charge points known so far, where the locations cannot be read; else their failure."""
    if not pull.memory.evses or not any(name in modules for name in pull.options.session_modules):
        raise broken
    try:
        said = ocpi.server_clock(pull.client, url)
    except SupplierError:
        raise broken from None
    now = pull.context.now()
    clock = not_past(said, now)
    pull.withheld.clear()
    sessions = pull.sessions(modules, clock, Known(pull.memory.evses, pull.memory.gone))
    if sessions.first is None:
        raise broken
    pull.faults[ocpi.LOCATIONS] = str(broken)
    pull.is_full = False
    crawl = ocpi.Crawl([], clock, clock, warnings=clock_warnings(address(url), said, now))
    return _delivery(address(url), pull, crawl, None, sessions)


def _delivery(origin: str, pull: _Pull, crawl: ocpi.Crawl, stock: _Stock | None, sessions: Sessions) -> Delivery:
    tables = dict(stock.tables if stock else flatten([]))
    tables["charge_sessions_hourly"] = table_of("charge_sessions_hourly", sessions.rows)
    crawls = _crawl_rows(crawl, tables, sessions, pull)
    # an hour in which the locations could not be read is no hour in which their status was asked
    unread = {} if stock else dict.fromkeys(("location_count", "evse_count"))
    tables["crawls"] = table_of("crawls", [row | unread for row in crawls])
    return Delivery(
        origin=origin,
        tables=tables,
        supplied_at=crawl.server_time,
        withheld={reason: count for reason, count in pull.withheld.items() if count},
        memory=pull.remembered(stock, sessions).written(),
        faults=pull.faults,
        warnings=(*crawl.warnings, *pull.warnings),
    )


def _changed_by(frame: pl.DataFrame, sent_at: datetime) -> pl.DataFrame:
    """The rows, each changed at the latest when it was sent."""
    written = [
        sent_at.isoformat() if (stamp := ocpi.moment(each)) and stamp > sent_at else each
        for each in frame["last_updated"]
    ]
    return frame.with_columns(pl.Series("last_updated", written, dtype=pl.String))


def _why_private(location: dict[str, object]) -> str | None:
    # whoever says it in words of their own does not say that everyone may know
    if (as_text(location.get("publish")) or "true").strip().lower() not in ("true", "1"):
        return _UNPUBLISHED
    return _DRIVEWAY if (as_text(location.get("parking_type")) or "").strip().upper() == "ON_DRIVEWAY" else None


def _require_no_disappearance(memory: Memory, found: frozenset[str], locations: int) -> None:
    known, missing = len(memory.evses), len(memory.evses - found)
    gone = memory.locations - locations
    if known and not found:
        what = f"names no EVSE where it named {known}"
    elif missing > max(_FEW, _MOST_MISSING * known):
        what = f"no longer names {missing} of {known} EVSEs"
    elif gone > max(_FEW, _MOST_DROPPED * memory.locations):
        what = f"names {locations} locations where it named {memory.locations}"
    else:
        return
    raise PermanentSupplierError("stock_gone", what=what)


def _require_modest(sent: Iterable[object]) -> None:
    count = sum(row_count(as_object(each)) for each in sent)
    if count > _MOST_ROWS:
        raise PermanentSupplierError("too_many_points", count=count, most=_MOST_ROWS)


def _private_evses(crawl: ocpi.Crawl) -> pl.DataFrame:
    return flatten([each for each in crawl.objects if _why_private(as_object(each))])["evses"]


def _named(evses: pl.DataFrame) -> list[tuple[str | None, ...]]:
    return evses.select("country_code", "party_id", "location_id", "evse_uid").rows()


def _digests(evses: pl.DataFrame) -> frozenset[str]:
    return frozenset(evse_digest(ocpi_sessions.evse_key(*row)) for row in _named(evses))


def _crawl_rows(crawl: ocpi.Crawl, tables: Mapping[str, pl.DataFrame], sessions: Sessions, pull: _Pull) -> list[Row]:
    """One row; none where nothing changed in an hour of which that was said already, so that no batch is written."""
    has_changes = not (tables["locations"].is_empty() and tables["evses"].is_empty() and sessions.first is None)
    if not pull.is_full and not has_changes and not pull.is_first_of_hour(crawl):
        return []
    row: Row = {
        "started_at": crawl.started_at.isoformat(),
        "ended_at": crawl.server_time.isoformat(),
        "is_full": str(pull.is_full).lower(),
        "location_count": str(_count(tables["locations"], LOCATIONS.key)),
        "evse_count": str(_count(tables["evses"], EVSES.key)),
        "sessions_from": sessions.first.isoformat() if sessions.first else None,
        "sessions_to": sessions.last.isoformat() if sessions.last else None,
    }
    return [row]


def _count(rows: pl.DataFrame, key: tuple[str, ...]) -> int:
    """How many things rows name; each that names none counts."""
    named = rows.drop_nulls(key)
    return named.n_unique(key) + rows.height - named.height
