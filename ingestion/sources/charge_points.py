"""Charge points: OCPI locations as flat tables of text, and sessions as energy per hour.

Nothing is lost on the way: an object that is not one still becomes a row, and the gate says why it is bad. Only what
is private stays outside: a post that its owner does not publish or that stands on a driveway, and every session.
Of a post that was public only this comes in: that it is gone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from contracts.cities.profile import City
from contracts.sources.charge_points import CONTRACT
from contracts.vocabulary import LINE
from ingestion.areas import MUNICIPALITY, SECTOR, Areas
from ingestion.clocks import clock_warnings, not_past, stamp_warnings
from ingestion.delivery import Context, Delivery, Endpoint, digest_of
from ingestion.errors import PermanentSupplierError, SupplierError
from ingestion.http import Client, address, listed_origins
from ingestion.protocols import ocpi, ocpi_sessions
from ingestion.protocols.ocpi_hours import least_hours_a_day

_Row = dict[str, str | None]
_Cells = tuple[str | None, ...]
_TABLES = ("locations", "evses", "connectors")
_FULL_EVERY_DAYS = 7
_OVERLAP = timedelta(minutes=10)
_SESSION_DAYS = 31
_LATEST_CREDIT = timedelta(days=400)
_MOST_MISSING = 0.10
_MOST_DROPPED = 0.20
# one post that goes is no disappearance, however small the operator
_FEW = 2
# more than all of Flanders: two bytes of an answer may become a row of thirteen cells
_MOST_ROWS = 300_000
_UNPUBLISHED = "privélaadpunt: de uitbater maakt het niet openbaar (publish = false)"
_DRIVEWAY = "privélaadpunt: het staat op een oprit (ON_DRIVEWAY)"
_STRANGE_SESSION = "laadsessie aan een privélaadpunt of een laadpunt dat niet in de levering zit"


@dataclass(frozen=True, slots=True)
class _Known:
    """The charge points of which a session may be told.

    Attributes:
        evses: digests of those that are public.
        gone: by the digest of one that was public and is no longer named, the city date on which that was seen.
    """

    evses: frozenset[str]
    gone: Mapping[str, str]

    def holds(self, evse: str, day: date) -> bool:
        # who charges at a post that is gone does so at home, for all we know
        return evse in self.evses or day.isoformat() < self.gone.get(evse, "")


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the last pull left behind (JSON); with less of it the next pull only asks more.

    Attributes:
        until: the operator's clock when the last pull began.
        full_at: the same of the last pull of everything.
        evses: digests of the public EVSEs known since then.
        gone: see `_Known`, as long ago as a credit note may reach.
        locations: how many locations the last pull of everything named.
        is_bounded: whether boundaries said in which municipality a location lies.
        sessions_on: the city date on which sessions were last read whole.
        credited: digests of the credit notes that were read together with the day they change.
    """

    until: datetime | None = None
    full_at: datetime | None = None
    evses: frozenset[str] = frozenset()
    locations: int = 0
    shape: str = ocpi.Shape.PAGED
    is_bounded: bool = False
    sessions_on: str = ""
    credited: frozenset[str] = frozenset()
    gone: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Mapping[str, object]) -> "_Memory":
        locations, gone = said.get("locations"), said.get("gone_on")
        return cls(
            ocpi.moment(said.get("until")),
            ocpi.moment(said.get("full_at")),
            _texts(said.get("evse_digests")),
            locations if isinstance(locations, int) else 0,
            str(said.get("shape", ocpi.Shape.PAGED)),
            said.get("is_bounded") is True,
            str(said.get("sessions_on", "")),
            _texts(said.get("credited")),
            {str(evse): str(day) for evse, day in gone.items()} if isinstance(gone, dict) else {},
        )

    def written(self) -> dict[str, object]:
        return {
            "until": self.until and self.until.isoformat(),
            "full_at": self.full_at and self.full_at.isoformat(),
            "evse_digests": sorted(self.evses),
            "locations": self.locations,
            "shape": self.shape,
            "is_bounded": self.is_bounded,
            "sessions_on": self.sessions_on,
            "credited": sorted(self.credited),
            "gone_on": dict(sorted(self.gone.items())),
        }


def _texts(said: object) -> frozenset[str]:
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset()


@dataclass(frozen=True, slots=True)
class _Options:
    """The settings of this source beside address and token."""

    full_every: timedelta
    shape: str | None
    session_modules: tuple[str, ...]
    session_days: int
    accepted_on: str | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> "_Options":
        return cls(
            timedelta(days=_whole("FULL_EVERY_DAYS", endpoint.option("FULL_EVERY_DAYS"), _FULL_EVERY_DAYS)),
            endpoint.option("SHAPE"),
            _session_modules(endpoint.option("SESSIONS") or "0"),
            max(_whole("SESSION_DAYS", endpoint.option("SESSION_DAYS"), _SESSION_DAYS), 1),
            endpoint.option("ACCEPT_SHRINK_ON"),
        )


def _session_modules(written: str) -> tuple[str, ...]:
    asked = {"0": (), "1": (ocpi.SESSIONS, ocpi.CDRS), ocpi.SESSIONS: (ocpi.SESSIONS,), ocpi.CDRS: (ocpi.CDRS,)}
    if written not in asked:
        raise PermanentSupplierError(f"SESSIONS of charge_points is {written!r:.40}; write {', '.join(asked)}")
    return asked[written]


def _whole(name: str, written: str | None, default: int) -> int:
    if written is not None and not written.isdecimal():
        raise PermanentSupplierError(f"{name} of charge_points is {written!r:.40}; write a whole number of days")
    return int(written) if written is not None else default


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
    known: _Known
    locations: int


@dataclass(slots=True)
class _Pull:
    """One pull: what is asked, and what may be concluded from the answer."""

    client: Client
    options: _Options
    context: Context
    memory: _Memory
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
        known = self.known_after(crawl, public, _digests(tables["evses"]))
        tables["evses"] = _numbered(pl.concat([tables["evses"], self.turned_private(crawl)]).drop(LINE))
        tables["locations"] = _with_areas(tables["locations"], self.areas, self.context.city)
        stamps = [stamp for frame in tables.values() for stamp in map(ocpi.moment, frame["last_updated"]) if stamp]
        self.warnings += stamp_warnings(address(url), stamps, crawl.server_time)
        # a stamp of tomorrow would outdate every true change until then, and the gate refuses it
        tables = {name: _changed_by(frame, crawl.server_time) for name, frame in tables.items()}
        return _Stock(crawl, tables, known, len(public))

    def crawl(self, url: str) -> ocpi.Crawl:
        """What changed since the last pull, with an overlap; everything when that is due by the operator's clock."""
        memory = self.memory
        knows = memory.full_at and memory.until and memory.evses and memory.is_bounded == (self.areas is not None)
        if knows and memory.until and memory.full_at and memory.shape == ocpi.Shape.PAGED and self.options.full_every:
            found = self.listed(url, memory.until - _OVERLAP)
            self.is_full = found.shape is not ocpi.Shape.PAGED
            if self.is_full or found.started_at - memory.full_at < self.options.full_every:
                return found
        self.is_full = True
        return self.listed(url)

    def listed(self, url: str, date_from: datetime | None = None) -> ocpi.Crawl:
        """A list of locations, at moments that are not past our own, nor each other.

        What came after our own time would be refused, and a day would be read before it is over.
        """
        asked_at = self.context.now()
        found = ocpi.crawl(self.client, url, date_from, self.options.shape)
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
            reason = _why_private(_object(each))
            if reason is None:
                public.append(each)
            else:
                self.withheld[reason] += _row_count(_object(each))
        return public

    def remembered(self, stock: _Stock | None, sessions: "_Sessions") -> _Memory:
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

    def known_after(self, crawl: ocpi.Crawl, public: list[object], found: frozenset[str]) -> _Known:
        """The EVSEs known after this pull.

        Raises:
            PermanentSupplierError: too many of them are gone at once.
        """
        memory, private, today = self.memory, _digests(_private_evses(crawl)), self.city_date(crawl.started_at)
        if self.is_full and self.options.accepted_on != today.isoformat():
            _require_no_disappearance(memory, found, len(public))
        evses = found if self.is_full else (memory.evses | found) - private
        gone = {**dict.fromkeys(memory.evses, today.isoformat()), **memory.gone}
        # one that turned private is not remembered
        there, earliest = evses | private, (today - _LATEST_CREDIT).isoformat()
        return _Known(evses, {evse: day for evse, day in gone.items() if evse not in there and day >= earliest})

    def turned_private(self, crawl: ocpi.Crawl) -> pl.DataFrame:
        """The EVSEs that were public and no longer are, as removed; the next full pull simply no longer names them."""
        private = _private_evses(crawl)
        was_public = [_digest(ocpi_sessions.evse_key(*row)) in self.memory.evses for row in _named(private)]
        gone = private.filter(pl.Series(was_public, dtype=pl.Boolean) & (not self.is_full))
        return gone.with_columns(status=pl.lit("REMOVED"), parking_restrictions=pl.lit(None, pl.String))

    def is_first_of_hour(self, crawl: ocpi.Crawl) -> bool:
        """Whether no pull before this one was in the same hour: that charge points stand as they stood is news once."""
        hour_at = crawl.server_time.replace(minute=0, second=0, microsecond=0)
        return self.memory.until is None or self.memory.until < hour_at

    def city_date(self, moment: datetime) -> date:
        """The city date of a moment."""
        return moment.astimezone(ZoneInfo(self.context.city.time_zone)).date()

    def sessions(self, modules: Mapping[str, str], clock: datetime, known: _Known) -> "_Sessions":
        """Energy per EVSE and hour of the last whole days, once a day: a late CDR changes its day, it adds none.

        What the modules say together is the truth of a day: where one of them fails, no day is covered.
        """
        offered = {name: modules[name] for name in self.options.session_modules if name in modules}
        today = self.city_date(clock)
        if not offered or self.memory.sessions_on == today.isoformat():
            return _Sessions()
        reading = self._reading(offered, clock, self._first_day(today))
        return self._covered(reading, today, known) if reading else _Sessions()

    def _reading(self, offered: Mapping[str, str], clock: datetime, first: date) -> "_Reading | None":
        """What changed since a day, or since the earlier one that a credit note changes: it is read whole again."""
        found = self._asked(offered, first, self.faults)
        if found is None:
            return None
        notes = ocpi_sessions.credit_notes(found.get(ocpi.CDRS, ()))
        begins = {digest_of(*name): begin for name, begin in notes.items()}
        unread = self._told_before(begins, clock, first)
        if not unread:
            return _Reading(first, found, frozenset(begins))
        earlier, faults = self.city_date(min(unread.values())), dict[str, str]()
        if wider := self._asked(offered, earlier, faults):
            return _Reading(earlier, wider, frozenset(begins))
        # the note is among the last days for so many days, and each of them asks again
        self.warnings += [
            f"{why}; credit notes change days since {earlier}, told before {first}: these stand as they were told"
            for why in faults.values()
        ]
        return _Reading(first, found, frozenset(begins) - frozenset(unread))

    def _told_before(self, begins: Mapping[str, datetime], clock: datetime, first: date) -> dict[str, datetime]:
        """Of the credit notes those of an earlier day, not too long ago, that was not read again for them."""
        earliest, latest = clock - _LATEST_CREDIT, self._midnight(first)
        return {
            note: begin
            for note, begin in begins.items()
            if earliest <= begin < latest and note not in self.memory.credited
        }

    def _first_day(self, today: date) -> date:
        """So many days back, and always as far as the last reading: what failed for weeks leaves no gap."""
        first = today - timedelta(days=self.options.session_days)
        with suppress(ValueError):
            return max(min(first, date.fromisoformat(self.memory.sessions_on)), today - _LATEST_CREDIT)
        return first

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, ZoneInfo(self.context.city.time_zone)).astimezone(UTC)

    def _asked(self, offered: Mapping[str, str], first: date, faults: dict[str, str]) -> dict[str, list[object]] | None:
        """The sessions and CDRs that changed since a day; None, and the fault noted, where a module fails."""
        # every session that touches a day ends, and so changes, on or after it
        since = self._midnight(first)
        found: dict[str, list[object]] = {}
        for module, url in offered.items():
            try:
                crawl = ocpi.crawl(self.client, url, since)
            except SupplierError as broken:
                faults[module] = str(broken)
                return None
            found[module] = crawl.objects
            self.warnings += [crawl.lacking] if crawl.lacking else []
        return found

    def _covered(self, reading: "_Reading", today: date, known: _Known) -> "_Sessions":
        charged: dict[ocpi_sessions.HourKey, ocpi_sessions.Charged] = {}
        for module, sent in reading.found.items():
            charged |= self._charged(module, sent, known)
        covered = _Sessions(reading.first, today - timedelta(days=1), today.isoformat(), reading.credited)
        covered.rows = [
            session_row(key, each)
            for key, each in sorted(charged.items(), key=_order_of_hour)
            if covered.holds(self.city_date(key.hour_at))
        ]
        return covered

    def _charged(
        self, module: str, sent: list[object], known: _Known
    ) -> dict[ocpi_sessions.HourKey, ocpi_sessions.Charged]:
        refused: list[ocpi_sessions.Refused] = []
        found = ocpi_sessions.by_hour(module, sent, refused)
        self.withheld.update(each.reason for each in refused)
        strange = {key for key in found if not known.holds(_digest(key.evse), self.city_date(key.hour_at))}
        self.withheld[_STRANGE_SESSION] += sum(found[key].session_count for key in strange)
        return {key: each for key, each in found.items() if key not in strange}


@dataclass(frozen=True, slots=True)
class _Reading:
    """Sessions and CDRs by module, as far back as could be asked.

    Attributes:
        first: the city date since which everything that changed is there.
        credited: digests of the credit notes of which the day they change is there too, or too long ago.
    """

    first: date
    found: Mapping[str, list[object]]
    credited: frozenset[str]


@dataclass(slots=True)
class _Sessions:
    """Session rows, and the city dates of which they are the whole truth.

    Attributes:
        read_on: the city date on which they were read.
        credited: digests of the credit notes that had to be read together with an earlier day.
    """

    first: date | None = None
    last: date | None = None
    read_on: str = ""
    credited: frozenset[str] = frozenset()
    rows: list[_Row] = field(default_factory=list)

    def holds(self, day: date) -> bool:
        return self.first is not None and self.last is not None and self.first <= day <= self.last


def fetch(endpoint: Endpoint, context: Context) -> Delivery:
    """What changed at the operator since the last pull, or everything; and the sessions of the last whole days.

    Where locations or sessions fail, the other still comes: the delivery names the fault, what it remembers of the
    part that failed stays as it was, and without locations it speaks until nowhere.

    Raises:
        TransientSupplierError, PermanentSupplierError: nothing can be read, see `ingestion.protocols.ocpi`; the latter
            too when more than a tenth of the EVSEs is gone at once. The state before it stands.
    """
    headers = ocpi.token_header(endpoint.secret, endpoint.option("TOKEN_ENCODING"))
    options, memory, areas = _Options.of(endpoint), _Memory.read(context.memory), context.areas()
    # who lists an origin says that it is this operator's, so it gets the token too
    also = dict.fromkeys(listed_origins(endpoint.option("ORIGINS")), headers)
    with Client(endpoint.url, headers, also=also) as client:
        pull = _Pull(client, options, context, memory, areas)
        modules = ocpi.discover(client, endpoint.url)
        try:
            stock = pull.stock(modules[ocpi.LOCATIONS])
        except SupplierError as broken:
            return _sessions_alone(pull, endpoint.url, modules, broken)
        sessions = pull.sessions(modules, stock.crawl.started_at, stock.known)
    delivery = _delivery(address(endpoint.url), pull, stock.crawl, stock, sessions)
    return replace(delivery, complete_until=stock.crawl.started_at)


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
    sessions = pull.sessions(modules, clock, _Known(pull.memory.evses, pull.memory.gone))
    if sessions.first is None:
        raise broken
    pull.faults[ocpi.LOCATIONS] = str(broken)
    pull.is_full = False
    crawl = ocpi.Crawl([], clock, clock, warnings=clock_warnings(address(url), said, now))
    return _delivery(address(url), pull, crawl, None, sessions)


def _delivery(origin: str, pull: _Pull, crawl: ocpi.Crawl, stock: _Stock | None, sessions: _Sessions) -> Delivery:
    tables = dict(stock.tables if stock else flatten([]))
    tables["charge_sessions_hourly"] = _frame("charge_sessions_hourly", sessions.rows)
    crawls = _crawl_rows(crawl, tables, sessions, pull)
    # an hour in which the locations could not be read is no hour in which their status was asked
    unread = {} if stock else dict.fromkeys(("location_count", "evse_count"))
    tables["crawls"] = _frame("crawls", [row | unread for row in crawls])
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
    if (_text(location.get("publish")) or "true").strip().lower() not in ("true", "1"):
        return _UNPUBLISHED
    return _DRIVEWAY if (_text(location.get("parking_type")) or "").strip().upper() == "ON_DRIVEWAY" else None


def _require_no_disappearance(memory: _Memory, found: frozenset[str], locations: int) -> None:
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
    raise PermanentSupplierError(
        f"the operator {what}; nothing was loaded and the stock stands as it was. Ask the operator; when it is right, "
        "set ADEMRUIMTE_CHARGE_POINTS_ACCEPT_SHRINK_ON to the date of the next pull (YYYY-MM-DD)"
    )


def _require_modest(sent: Iterable[object]) -> None:
    count = sum(_row_count(_object(each)) for each in sent)
    if count > _MOST_ROWS:
        raise PermanentSupplierError(
            f"the operator sent {count} locations, EVSEs and connectors, over {_MOST_ROWS}; nothing was loaded. Ask it "
            "for an address with the locations of this region only"
        )


def _private_evses(crawl: ocpi.Crawl) -> pl.DataFrame:
    return flatten([each for each in crawl.objects if _why_private(_object(each))])["evses"]


def _named(evses: pl.DataFrame) -> list[tuple[str | None, ...]]:
    return evses.select("country_code", "party_id", "location_id", "evse_uid").rows()


def _digests(evses: pl.DataFrame) -> frozenset[str]:
    return frozenset(_digest(ocpi_sessions.evse_key(*row)) for row in _named(evses))


def _digest(evse: ocpi_sessions.EvseKey) -> str:
    """Thousands are remembered: one that clashes only hides one missing EVSE."""
    return digest_of(*evse)


def _crawl_rows(crawl: ocpi.Crawl, tables: Mapping[str, pl.DataFrame], sessions: _Sessions, pull: _Pull) -> list[_Row]:
    """One row; none where nothing changed in an hour of which that was said already, so that no batch is written."""
    has_changes = not (tables["locations"].is_empty() and tables["evses"].is_empty() and sessions.first is None)
    if not pull.is_full and not has_changes and not pull.is_first_of_hour(crawl):
        return []
    row: _Row = {
        "started_at": crawl.started_at.isoformat(),
        "ended_at": crawl.server_time.isoformat(),
        "is_full": str(pull.is_full).lower(),
        "location_count": str(tables["locations"].height),
        "evse_count": str(tables["evses"].height),
        "sessions_from": sessions.first.isoformat() if sessions.first else None,
        "sessions_to": sessions.last.isoformat() if sessions.last else None,
    }
    return [row]


def session_row(key: ocpi_sessions.HourKey, charged: ocpi_sessions.Charged) -> _Row:
    """One EVSE and hour as a row of charge_sessions_hourly."""
    country_code, party_id, location_id, evse_uid = key.evse
    return {
        "country_code": country_code,
        "party_id": party_id,
        "location_id": location_id,
        "evse_uid": evse_uid,
        "module": key.module,
        "hour_at": key.hour_at.isoformat(),
        "energy_kwh": f"{charged.energy_kwh:.6f}",
        "session_count": str(charged.session_count),
        "charged_minutes": str(15 * charged.quarters),
        "latitude": charged.latitude,
        "longitude": charged.longitude,
    }


def _order_of_hour(item: tuple[ocpi_sessions.HourKey, ocpi_sessions.Charged]) -> tuple[object, ...]:
    return item[0].hour_at, item[0].evse, item[0].module


def _with_areas(locations: pl.DataFrame, areas: Areas | None, city: City) -> pl.DataFrame:
    """In which municipality and sector each point lies; its address often names another."""
    if areas is None or locations.is_empty():
        return locations
    longitude, latitude = (locations[name].cast(pl.Float64, strict=False) for name in ("longitude", "latitude"))
    municipality = areas.of(longitude, latitude, MUNICIPALITY)
    inside = pl.when(longitude.is_not_null() & latitude.is_not_null()).then(municipality.eq_missing(city.area_id))
    return locations.with_columns(
        municipality.alias("municipality_id"),
        areas.of(longitude, latitude, SECTOR).alias("sector_id"),
        inside.cast(pl.String).alias("is_in_municipality"),
    )


def flatten(locations: list[object]) -> dict[str, pl.DataFrame]:
    """Location objects as rows of locations, EVSEs and connectors; `line` is the position in the crawl."""
    rows: dict[str, list[_Cells]] = {name: [] for name in _TABLES}
    for sent in locations:
        location = _object(sent)
        whose = _cells(location, country_code="country_code", party_id="party_id", location_id="id")
        rows["locations"].append(_in_order("locations", whose | _location(location)))
        for sent_evse in _list(location.get("evses")):
            evse = _object(sent_evse)
            rows["evses"].append(_in_order("evses", whose | _evse(evse)))
            rows["connectors"] += [_in_order("connectors", each) for each in _connectors(whose, evse)]
    return {name: _framed(name, found) for name, found in rows.items()}


def _row_count(location: dict[str, object]) -> int:
    """How many rows `flatten` makes of a location."""
    evses = _list(location.get("evses"))
    return 1 + len(evses) + sum(len(_list(_object(evse).get("connectors"))) for evse in evses)


def _location(location: dict[str, object]) -> _Row:
    coordinates = _object(location.get("coordinates"))
    return (
        _cells(location, publish="publish", parking_type="parking_type", last_updated="last_updated")
        | _cells(coordinates, latitude="latitude", longitude="longitude")
        | _cells(_object(location.get("operator")), operator_name="name")
        | _cells(_object(location.get("opening_times")), twentyfourseven="twentyfourseven")
        | {"hours_min_per_day": _text(least_hours_a_day(location.get("opening_times")))}
        | dict.fromkeys(("municipality_id", "sector_id", "is_in_municipality"))
    )


def _evse(evse: dict[str, object]) -> _Row:
    restrictions = sorted(filter(None, map(_text, _list(evse.get("parking_restrictions")))), key=str.upper)
    return _cells(evse, evse_uid="uid", evse_id="evse_id", status="status", last_updated="last_updated") | {
        "parking_restrictions": ",".join(restrictions) or None
    }


def _connectors(whose: _Row, evse: dict[str, object]) -> list[_Row]:
    whose = whose | _cells(evse, evse_uid="uid")
    return [whose | _connector(_object(sent), evse) for sent in _list(evse.get("connectors"))]


def _connector(connector: dict[str, object], evse: dict[str, object]) -> _Row:
    cells = _cells(
        connector,
        connector_id="id",
        standard="standard",
        format="format",
        power_type="power_type",
        max_voltage="max_voltage",
        max_amperage="max_amperage",
        max_electric_power="max_electric_power",
        last_updated="last_updated",
    )
    # operators leave it out, and a connector is part of its EVSE
    changed = cells["last_updated"] or _text(evse.get("last_updated"))
    # who has no power to declare writes 0; what is below 1000 and more than nothing was meant in kW
    power = None if cells["max_electric_power"] == "0" else cells["max_electric_power"]
    return cells | {"last_updated": changed, "max_electric_power": power}


def _cells(source: dict[str, object], **wire: str) -> _Row:
    return {column: _text(source.get(name)) for column, name in wire.items()}


def _object(sent: object) -> dict[str, object]:
    return sent if isinstance(sent, dict) else {}


def _list(sent: object) -> list[object]:
    """What should be a list; something else is one broken element, so that it is seen."""
    if sent is None:
        return []
    return sent if isinstance(sent, list) else [sent]


def _text(sent: object) -> str | None:
    """A JSON value as plain text; a structure where a value belongs is no value."""
    if sent is None or isinstance(sent, dict | list):
        return None
    if isinstance(sent, bool):
        return str(sent).lower()
    # 22000.0 is the JSON number 22000
    return str(int(sent)) if isinstance(sent, float) and sent.is_integer() else str(sent)


def _frame(table: str, rows: list[_Row]) -> pl.DataFrame:
    return _framed(table, [_in_order(table, row) for row in rows])


def _in_order(table: str, row: _Row) -> _Cells:
    return tuple(row[column] for column in CONTRACT.table(table).received.columns)


def _framed(table: str, rows: list[_Cells]) -> pl.DataFrame:
    columns = CONTRACT.table(table).received.columns
    return _numbered(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"))


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_row_index(LINE, offset=1).cast({LINE: pl.Int64})
