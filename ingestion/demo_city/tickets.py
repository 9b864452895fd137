"""Questions to 1777 in the demo city and what came of them, as GeoReport v2 tells it; nobody asked them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from contracts.cities import calendar
from contracts.cities.kortrijk import CITY
from ingestion.demo_city.clock import AS_OF, CLOCK, ZONE, dice, local

_FIRST = date(2026, 5, 1)
_COUNT = 2_400
_THEMES = (
    ("AFV", "Ophaling afval", "Demo-dienst Afval"),
    ("GRO", "Groenbeheer", "Demo-dienst Groen"),
    ("SIG", "Signalisatie", "Demo-dienst Mobiliteit"),
    ("SLU", "Sluikstorten", "Demo-dienst Afval"),
    ("OVE", "Overlast", "Demo-dienst Overlast"),
)
_CHANNELS = ("phone", "phone", "e-mail", "e-mail", "Website", "Mijn stad app", "Balie")
_ZIP_CODES = ("8500", "8500", "8501", "8510", "8511")
# working days until the answer; 6 % never or later than the promised five
_ON_TIME = (0, 1, 1, 2, 2, 3, 4, 5)
_LATE = (6, 7, 8, 10, 14)

# every so many questions: answered while the citizen waited, closed without a word, asked again, said twice
_FIRST_LINE, _SILENT, _REOPENED, _REPEATED = 2, 14, 143, 80
_WITHDRAWN, _ORPHAN = 1_234, 2_000

Request = dict[str, Any]


def requests() -> list[Request]:
    """Every request since May 2026, oldest first, with the usual mess."""
    chance = dice("tickets")
    working_days = _working_days()
    asked = sorted(_moment_of_asking(chance) for _ in range(_COUNT))
    made = [_request(number, at, working_days, chance) for number, at in enumerate(asked, start=1)]
    for number, request in enumerate(made, start=1):
        request["extended_attributes"] = _extended(number, request)
    return [*made, *_mess(made)]


def updates() -> list[Request]:
    """The reply log of these requests: acknowledgements, answers, closings, reopenings; oldest first."""
    found = [update for number, request in enumerate(requests()[:_COUNT], 1) for update in _log(number, request)]
    return sorted(found, key=lambda update: datetime.fromisoformat(update["updated_datetime"]))


def _extended(number: int, request: Request) -> Request:
    """What GeoReport has no field for."""
    told: Request = {"channel": _CHANNELS[number % len(_CHANNELS)]}
    if _is_first_line(number, request):
        told["first_line"] = True
    if number % _REPEATED == 0:
        told |= {"duplicate": True, "parent_service_request_id": f"SYN-2026-{number - 1:06d}"}
    if number == _ORPHAN + 1:
        told |= {"duplicate": True, "parent_service_request_id": "SYN-2025-000001"}
    return told


def _is_first_line(number: int, request: Request) -> bool:
    asked, changed = (datetime.fromisoformat(request[name]) for name in ("requested_datetime", "updated_datetime"))
    return number % _FIRST_LINE == 0 and request["status"] == "closed" and asked.date() == changed.date()


def _log(number: int, request: Request) -> list[Request]:
    """The updates of one request; the last is the closing that the request itself tells."""
    asked, changed = (datetime.fromisoformat(request[name]) for name in ("requested_datetime", "updated_datetime"))
    said = [("OPEN", asked + timedelta(seconds=30), "AUTO_ACK", "Synthetische ontvangstmelding.")]
    answer = "" if number % _SILENT == 0 else f"Synthetisch antwoord op melding {number}."
    if number == _WITHDRAWN:
        said.append(("WITHDRAWN", asked + timedelta(hours=1), "", ""))
    if request["status"] == "closed":
        if number % _REOPENED == 0 and changed - asked > timedelta(days=1):
            # answered soon, asked again, and closed for good when the request says so
            first = asked + (changed - asked) / 4
            said += [("CLOSED", first, "", answer), ("REOPENED", first + (changed - first) / 2, "", "")]
        said.append(("CLOSED", changed, "", answer))
    return [_update(request, place, each) for place, each in enumerate(said, start=1)]


def _update(request: Request, place: int, told: tuple[str, datetime, str, str]) -> Request:
    status, at, code, said = told
    return {
        "update_id": f"{request['service_request_id']}-{place}",
        "service_request_id": request["service_request_id"],
        "status": status,
        "updated_datetime": _written(at),
        "external_status_code": code,
        "description": said,
    }


def services() -> list[Request]:
    """The themes a citizen can choose from."""
    return [{"service_code": code, "service_name": f"{name} (synthetisch)"} for code, name, _ in _THEMES]


def _working_days() -> list[date]:
    # far enough to answer a question of the last day
    frame = calendar.days(CITY, _FIRST, AS_OF + timedelta(days=60))
    return list(frame.filter(frame["is_working_day"])["date"])


def _moment_of_asking(chance: Random) -> datetime:
    last = CLOCK.astimezone(ZONE) - timedelta(hours=4)
    span = int((last - local(_FIRST, 8)).total_seconds() // 60)
    return (local(_FIRST, 8) + timedelta(minutes=chance.randrange(span))).astimezone(ZONE)


def _request(number: int, asked: datetime, working_days: Sequence[date], chance: Random) -> Request:
    code, theme, agency = _THEMES[chance.randrange(len(_THEMES))]
    closed = _closing(asked, working_days, chance)
    due = local(_answer_day(asked.date(), 5, working_days), 23, 59).astimezone(ZONE)
    return {
        "service_request_id": f"SYN-2026-{number:06d}",
        "status": "closed" if closed else "open",
        "service_code": code,
        "service_name": f"{theme} (synthetisch)",
        "agency_responsible": f"{agency} (synthetisch)",
        "description": f"Synthetische melding {number}. Bel mij op {_phone(number)}.",
        "requested_datetime": _written(asked),
        "updated_datetime": _written(closed or asked),
        "expected_datetime": _written(due),
        "address": f"Proefstraat {number % 180 + 1}, Kortrijk",
        "zipcode": chance.choice(_ZIP_CODES),
        "lat": round(chance.uniform(50.78, 50.87), 6),
        "long": round(chance.uniform(3.18, 3.33), 6),
    }


def _phone(number: int) -> str:
    """A made-up number: the door must drop the text that holds it."""
    return f"0499 00 {number // 100 % 100:02d} {number % 100:02d}"


def _closing(asked: datetime, working_days: Sequence[date], chance: Random) -> datetime | None:
    """When the city answered; None while it has not."""
    luck = chance.random()
    if luck > 0.985:
        return None
    delay = chance.choice(_LATE) if luck > 0.94 else chance.choice(_ON_TIME)
    day = _answer_day(asked.date(), delay, working_days)
    answered = local(day, chance.randrange(9, 17), chance.randrange(60)).astimezone(ZONE)
    answered = max(answered, asked + timedelta(minutes=20))
    return answered if answered <= CLOCK else None


def _answer_day(asked: date, delay: int, working_days: Sequence[date]) -> date:
    """The working day that many working days after the day of the question; that day itself does not count."""
    later = [day for day in working_days if asked < day <= asked + timedelta(days=40)]
    return asked if delay == 0 and asked in working_days else later[max(delay, 1) - 1]


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _mess(made: list[Request]) -> list[Request]:
    """Requests that cannot be right, and some that are listed twice."""
    doubtful = [
        {**made[place], "service_request_id": f"SYN-BAD-{place}", "duplicate_of": "de vorige melding"}
        for place in range(100, 900, 100)
    ]
    stateless = [
        {**made[place], "service_request_id": f"SYN-BAD-{place}", "status": ""} for place in range(950, 1450, 100)
    ]
    misnumbered = [{**made[place], "service_request_id": f"SYN BAD {place}"} for place in (1500, 1600, 1700)]
    return [*doubtful, *stateless, *misnumbered, *made[1800:2200:50]]
