"""Charging sessions and CDRs of OCPI (2.2.1, 9 and 10), reduced to what a city may keep: energy and number per hour.

Belongs here: the door for sessions: from here on there is no token, no session and no exact time, only one row per
EVSE and hour. Does not belong here: asking for them, and what an EVSE is called in a contract.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingestion.protocols.ocpi import CDRS, moment

_HOUR = timedelta(hours=1)
_QUARTER = timedelta(minutes=15)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MOST_KWH = 1000
_LONGEST = timedelta(days=31)
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
# SessionStatus is a closed list (OCPI 2.2.1, 9.4.3)
_UNFINISHED = ("ACTIVE", "INVALID", "PENDING", "RESERVATION")
IMPOSSIBLE_ENERGY = "laadsessie met een energie die niet kan (onder 0 of boven 1000 kWh)"
UNREADABLE = "laadsessie zonder leesbaar begin, einde of laadpunt"
UNKNOWN_STATUS = "laadsessie met een toestand die OCPI niet kent"
LONE_CREDIT = "creditnota van een laadsessie die niet in de levering zit"

Reference = tuple[str, str, str]
"""country_code, party_id and identifier of an object, in small letters."""

EvseKey = tuple[str, str, str, str]
"""country_code, party_id, location_id and evse_uid; the first two in capitals."""


@dataclass(frozen=True, slots=True)
class HourKey:
    """One EVSE in one hour.

    Attributes:
        module: `sessions` or `cdrs`: a CDR is final, a session is not.
        hour_at: start of the hour (UTC; where clocks differ by whole hours also the hour of the city).
    """

    module: str
    evse: EvseKey
    hour_at: datetime


@dataclass(slots=True)
class Charged:
    """What was charged in that hour; a session is counted in the hour it began.

    Attributes:
        charging: the time in which it was charged; only `quarters` of it are kept.
    """

    energy_kwh: float = 0.0
    session_count: int = 0
    charging: timedelta = timedelta(0)

    @property
    def quarters(self) -> int:
        """The quarters of an hour in which it was charged, begun ones included: an exact time would be a person's."""
        return min(max(-(-self.charging // _QUARTER), 1), 4)


@dataclass(frozen=True, slots=True)
class Refused:
    """A session that was not let in, and why (Dutch)."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Session:
    evse: EvseKey
    begin: datetime
    end: datetime
    energy_kwh: float


def by_hour(module: str, sent: Iterable[object], refused: list[Refused]) -> dict[HourKey, Charged]:
    """Sessions or CDRs as energy and number per EVSE and hour; energy is spread evenly over the time of charging.

    Args:
        module: `sessions` or `cdrs`.
        sent: the objects of one crawl; of the same id the last counts.
        refused: is filled with what was not let in.
    """
    hours: dict[HourKey, Charged] = defaultdict(Charged)
    for each in _without_credited(module, _last_of_each(sent), refused):
        session = _read(module, each)
        if isinstance(session, Refused):
            refused.append(session)
            continue
        for number, (hour_at, share, within) in enumerate(_shares(session)):
            charged = hours[HourKey(module, session.evse, hour_at)]
            charged.energy_kwh += session.energy_kwh * share
            charged.charging += within
            charged.session_count += number == 0
    return dict(hours)


def _last_of_each(sent: Iterable[object]) -> list[dict[str, object]]:
    """Pages overlap, and a session is sent again with every change."""
    last: dict[tuple[object, ...], dict[str, object]] = {}
    for place, each in enumerate(sent):
        said = each if isinstance(each, dict) else {}
        # what names itself with no text or number cannot be another one again
        named = isinstance(said.get("id"), str | int)
        identity = _reference(said, "id") if named else ("no name", place)
        kept = last.get(identity)
        if kept is None or _changed_at(kept) <= _changed_at(said):
            last[identity] = said
    return list(last.values())


def _changed_at(said: dict[str, object]) -> datetime:
    """When an object last changed; what does not tell gives way to what does."""
    return moment(said.get("last_updated")) or _LONG_AGO


def _without_credited(
    module: str, found: list[dict[str, object]], refused: list[Refused]
) -> Iterator[dict[str, object]]:
    """What remains when a credit note takes away the CDR it refers to (OCPI 2.2.1, 10.3.1, `credit`)."""
    if module != CDRS:
        for each in found:
            state = str(each.get("status", "")).upper()
            # a session that still runs, or never was one, says nothing final
            if state == "COMPLETED":
                yield each
            elif state not in _UNFINISHED:
                refused.append(Refused(UNKNOWN_STATUS))
        return
    known = {_reference(each, "id") for each in found if not _is_credit(each)}
    credited = [_credited(each) for each in found if _is_credit(each)]
    refused += [Refused(LONE_CREDIT) for name in credited if name not in known]
    yield from (each for each in found if not _is_credit(each) and _reference(each, "id") not in credited)


def credit_notes(sent: Iterable[object]) -> dict[Reference, datetime]:
    """By the CDR that a credit note takes away, when its session began (UTC, whatever year a stranger writes).

    A credit note is a copy of its CDR with the energy reversed (OCPI 2.2.1, 10.3.1), so it tells on which day the
    CDR it takes away was counted; one that does not tell is left out.
    """
    begins: dict[Reference, datetime] = {}
    for each in _last_of_each(sent):
        begin = moment(each.get("start_date_time"))
        if begin and _is_credit(each):
            name = _credited(each)
            begins[name] = min(begin, begins.get(name, begin))
    return begins


def _is_credit(cdr: dict[str, object]) -> bool:
    """A credit note; also one that says so in words, or by a reference and an energy below nothing."""
    if str(cdr.get("credit")).lower() == "true":
        return True
    energy = cdr.get("total_energy")
    return bool(cdr.get("credit_reference_id")) and isinstance(energy, int | float) and energy < 0


def _credited(note: dict[str, object]) -> Reference:
    """The CDR a credit note takes away; one that names none is a case of its own."""
    return _reference(note, "credit_reference_id" if note.get("credit_reference_id") else "id")


def _reference(cdr: dict[str, object], field: str) -> Reference:
    """Names an object of a supplier; identifiers are the same in any case (OCPI 2.2.1, 17.1, CiString)."""
    return str(cdr.get("country_code")).lower(), str(cdr.get("party_id")).lower(), str(cdr.get(field)).lower()


def _read(module: str, said: dict[str, object]) -> _Session | Refused:
    place = said.get("cdr_location") if module == CDRS else said
    place = place if isinstance(place, dict) else {}
    begin, end = moment(said.get("start_date_time")), moment(said.get("end_date_time"))
    location_id = place.get("id") if module == CDRS else place.get("location_id")
    whose = (said.get("country_code"), said.get("party_id"), location_id, place.get("evse_uid"))
    if begin is None or end is None or None in whose:
        return Refused(UNREADABLE)
    # clocks of one system run apart: what ended before it began lasted no time, and its energy went all the same
    end = max(begin, end)
    if not _is_possible(begin, end):
        return Refused(UNREADABLE)
    energy = said.get("total_energy" if module == CDRS else "kwh")
    if isinstance(energy, bool) or not isinstance(energy, int | float) or not 0 <= energy <= _MOST_KWH:
        return Refused(IMPOSSIBLE_ENERGY)
    return _Session(evse_key(*whose), begin, max(begin, end - _parked(said)), float(energy))


def _is_possible(begin: datetime, end: datetime) -> bool:
    # at either end of the calendar no hour can be added, nor a city's time be told
    return end - begin <= _LONGEST and begin.year >= _FIRST_YEAR and end.year <= _LAST_YEAR


def evse_key(country_code: object, party_id: object, location_id: object, evse_uid: object) -> EvseKey:
    """Names an EVSE of a supplier; country and party are written in any case (OCPI 2.2.1, 17.1)."""
    return str(country_code).upper(), str(party_id).upper(), str(location_id), str(evse_uid)


def _parked(said: dict[str, object]) -> timedelta:
    """Time after charging, in which no energy went (hours, OCPI `total_parking_time`)."""
    hours = said.get("total_parking_time")
    return timedelta(hours=hours) if isinstance(hours, int | float) and 0 <= hours <= _LONGEST / _HOUR else timedelta(0)


def _shares(session: _Session) -> Iterator[tuple[datetime, float, timedelta]]:
    """The hours a session touches, oldest first, with the share of its energy and its time in each."""
    hour_at = session.begin.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    duration = session.end - session.begin
    if not duration:
        yield hour_at, 1.0, duration
        return
    while hour_at < session.end:
        within = min(session.end, hour_at + _HOUR) - max(session.begin, hour_at)
        yield hour_at, within / duration, within
        hour_at += _HOUR
