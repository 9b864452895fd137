"""Charging sessions of the last whole days, as energy per EVSE and hour.

Belongs here: which days are asked, how far back a credit note makes them be read again, of which days the answer is the
whole truth, and at which charge points a session may be told. Does not belong here: what of a session may come in at
all (`protocols.ocpi_sessions`), which charge points there are and what is remembered (the source module).
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.cities.profile import City
from ingestion.charge_point_rows import Row
from ingestion.delivery import digest_of
from ingestion.errors import SupplierError
from ingestion.http import Client
from ingestion.protocols import ocpi, ocpi_sessions
from ingestion.protocols.ocpi_memory import LATEST_CREDIT, Known, Memory, evse_digest

_STRANGE_SESSION = "laadsessie aan een privélaadpunt of een laadpunt dat niet in de levering zit"


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
class Sessions:
    """Session rows, and the city dates of which they are the whole truth.

    Attributes:
        read_on: the city date on which they were read.
        credited: digests of the credit notes that had to be read together with an earlier day.
    """

    first: date | None = None
    last: date | None = None
    read_on: str = ""
    credited: frozenset[str] = frozenset()
    rows: list[Row] = field(default_factory=list)

    def holds(self, day: date) -> bool:
        """Whether the rows are the whole truth of a day."""
        return self.first is not None and self.last is not None and self.first <= day <= self.last


@dataclass(slots=True)
class SessionPull:
    """One pull of sessions.

    Attributes:
        wanted: the modules that the settings ask.
        days: how many days back are asked.
        cursor: as in `ocpi.crawl`.
        warnings: what somebody should know although everything came.
        withheld: by reason, how many sessions were not let in.
        faults: by module that failed, why.
    """

    client: Client
    city: City
    memory: Memory
    wanted: tuple[str, ...]
    days: int
    cursor: str | None = None
    warnings: list[str] = field(default_factory=list)
    withheld: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def read(self, modules: Mapping[str, str], clock: datetime, known: Known) -> Sessions:
        """Energy per EVSE and hour of the last whole days, once a day: a late CDR changes its day, it adds none.

        What the modules say together is the truth of a day: where one of them fails, no day is covered.
        """
        offered = {name: modules[name] for name in self.wanted if name in modules}
        today = city_date(clock, self.city)
        if not offered or self.memory.sessions_on == today.isoformat():
            return Sessions()
        reading = self._reading(offered, clock, self._first_day(today))
        return self._covered(reading, today, known) if reading else Sessions()

    def _reading(self, offered: Mapping[str, str], clock: datetime, first: date) -> _Reading | None:
        """What changed since a day, or since the earlier one that a credit note changes: it is read whole again."""
        found = self._asked(offered, first, self.faults)
        if found is None:
            return None
        notes = ocpi_sessions.credit_notes(found.get(ocpi.CDRS, ()))
        begins = {digest_of(*name): begin for name, begin in notes.items()}
        unread = self._told_before(begins, clock, first)
        if not unread:
            return _Reading(first, found, frozenset(begins))
        earlier, faults = city_date(min(unread.values()), self.city), dict[str, str]()
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
        earliest, latest = clock - LATEST_CREDIT, self._midnight(first)
        return {
            note: begin
            for note, begin in begins.items()
            if earliest <= begin < latest and note not in self.memory.credited
        }

    def _first_day(self, today: date) -> date:
        """So many days back, and always as far as the last reading: what failed for weeks leaves no gap."""
        first = today - timedelta(days=self.days)
        with suppress(ValueError):
            return max(min(first, date.fromisoformat(self.memory.sessions_on)), today - LATEST_CREDIT)
        return first

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, ZoneInfo(self.city.time_zone)).astimezone(UTC)

    def _asked(self, offered: Mapping[str, str], first: date, faults: dict[str, str]) -> dict[str, list[object]] | None:
        """The sessions and CDRs that changed since a day; None, and the fault noted, where a module fails."""
        # every session that touches a day ends, and so changes, on or after it
        since = self._midnight(first)
        found: dict[str, list[object]] = {}
        for module, url in offered.items():
            try:
                crawl = ocpi.crawl(self.client, url, since, cursor=self.cursor)
            except SupplierError as broken:
                faults[module] = str(broken)
                return None
            found[module] = crawl.objects
            self.warnings += [crawl.lacking] if crawl.lacking else []
        return found

    def _covered(self, reading: _Reading, today: date, known: Known) -> Sessions:
        charged: dict[ocpi_sessions.HourKey, ocpi_sessions.Charged] = {}
        for module, sent in reading.found.items():
            charged |= self._charged(module, sent, known)
        covered = Sessions(reading.first, today - timedelta(days=1), today.isoformat(), reading.credited)
        covered.rows = [
            session_row(key, each)
            for key, each in sorted(charged.items(), key=_order_of_hour)
            if covered.holds(city_date(key.hour_at, self.city))
        ]
        return covered

    def _charged(
        self, module: str, sent: list[object], known: Known
    ) -> dict[ocpi_sessions.HourKey, ocpi_sessions.Charged]:
        refused: list[ocpi_sessions.Refused] = []
        found = ocpi_sessions.by_hour(module, sent, refused)
        self.withheld.update(each.reason for each in refused)
        strange = {key for key in found if not known.holds(evse_digest(key.evse), city_date(key.hour_at, self.city))}
        self.withheld[_STRANGE_SESSION] += sum(found[key].session_count for key in strange)
        return {key: each for key, each in found.items() if key not in strange}


def city_date(moment: datetime, city: City) -> date:
    """The city date of a moment."""
    return moment.astimezone(ZoneInfo(city.time_zone)).date()


def session_row(key: ocpi_sessions.HourKey, charged: ocpi_sessions.Charged) -> Row:
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
    }


def _order_of_hour(item: tuple[ocpi_sessions.HourKey, ocpi_sessions.Charged]) -> tuple[object, ...]:
    return item[0].hour_at, item[0].evse, item[0].module
