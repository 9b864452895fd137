"""Questions to 1777 in the demo city, as GeoReport v2 requests; nobody asked them."""

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
_ZIP_CODES = ("8500", "8500", "8501", "8510", "8511")
# working days until the answer; 6 % never or later than the promised five
_ON_TIME = (0, 1, 1, 2, 2, 3, 4, 5)
_LATE = (6, 7, 8, 10, 14)

Request = dict[str, Any]


def requests() -> list[Request]:
    """Every request since May 2026, oldest first, with the usual mess."""
    chance = dice("tickets")
    working_days = _working_days()
    asked = sorted(_moment_of_asking(chance) for _ in range(_COUNT))
    made = [_request(number, at, working_days, chance) for number, at in enumerate(asked, start=1)]
    return [*made, *_mess(made)]


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
    before = [
        {
            **made[place],
            "service_request_id": f"SYN-BAD-{place}",
            "status": "closed",
            "updated_datetime": "2026-04-30T09:00:00+02:00",
        }
        for place in range(100, 900, 100)
    ]
    unknown = [
        {**made[place], "service_request_id": f"SYN-BAD-{place}", "status": "in behandeling"}
        for place in range(950, 1450, 100)
    ]
    unreadable = [
        {**made[place], "service_request_id": f"SYN-BAD-{place}", "updated_datetime": "gisteren"}
        for place in (1500, 1600, 1700)
    ]
    return [*before, *unknown, *unreadable, *made[1800:2200:50]]
