"""Charge points of the demo city, as made-up operators publish them in OCPI 2.2.1."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from ingestion.demo_city.areas import EAST, NORTH, SOUTH, WEST
from ingestion.demo_city.clock import CLOCK, dice

_LIVE_EVSES = 905
_PARTIES = (("DLN", "Demo Laadnet"), ("VBS", "Voorbeeldstroom"), ("FIC", "Fictief Laden"))
_HUB = ("HUB", "Doorgeefhub")
_STATUSES = ("AVAILABLE", "AVAILABLE", "AVAILABLE", "CHARGING", "CHARGING", "OUTOFORDER", "INOPERATIVE", "UNKNOWN")
_HOURS = (True, True, False, None)
_PARKING = ("ON_STREET", "ON_STREET", "PARKING_LOT", "PARKING_GARAGE")
# (power type, volt, ampere, watt or None where the operator is silent), by share
_POWERS = (
    *([("AC_3_PHASE", 230, 16, 11_040)] * 52),
    *([("AC_3_PHASE", 230, 16, 11_000)] * 14),
    *([("AC_3_PHASE", 400, 16, None)] * 12),
    *([("AC_3_PHASE", 400, 32, 22_000)] * 15),
    *([("AC_3_PHASE", 230, 32, 22_080)] * 4),
    *([("DC", 400, 125, 50_000)] * 2),
    *([("DC", 500, 300, 150_000)] * 1),
)

Location = dict[str, Any]


def locations() -> list[Location]:
    """All locations of all operators: 905 live EVSEs, some of them published twice, and the usual mess."""
    chance = dice("charge points")
    own: list[Location] = []
    live = 0
    while live < _LIVE_EVSES:
        wanted = min(chance.choice((1, 2, 2, 2, 3, 4)), _LIVE_EVSES - live)
        own.append(_location(len(own) + 1, wanted, chance))
        live += wanted
    _add_not_live(own, chance)
    _add_mess(own)
    mess = [_unreadable_location(len(own) + 1, chance), _swapped_location(len(own) + 2, chance)]
    strange = dice("charge points that do not count")
    return [*own, *_republished(own), *mess, *_outside(strange), *_private(strange)]


def cdrs() -> list[Location]:
    """What was charged in the five weeks before the demo's clock, with the mess of the field.

    A credit note takes one session away, one EVSE gives more than it can, one home post sends its sessions along.
    """
    chance = dice("charge sessions")
    public = [(location, evse) for location in locations()[:60] for evse in location["evses"] if evse.get("evse_id")]
    found = [_cdr(number, *chance.choice(public), chance) for number in range(1, 601)]
    credited = {**found[10], "id": "SYN-CREDIT", "credit": True, "credit_reference_id": found[10]["id"]}
    heavy = [{**_cdr(700 + number, *public[3], chance), "total_energy": 400.0} for number in range(3)]
    home = locations()[-1]
    return [*found, credited, *heavy, _cdr(800, home, home["evses"][0], chance)]


def _cdr(number: int, location: Location, evse: Location, chance: Random) -> Location:
    begin = CLOCK - timedelta(minutes=chance.randrange(24 * 60, 35 * 24 * 60))
    end = begin + timedelta(minutes=chance.randrange(20, 240))
    return {
        "country_code": location["country_code"],
        "party_id": location["party_id"],
        "id": f"SYN-CDR-{number:05d}",
        "start_date_time": _written(begin),
        "end_date_time": _written(end),
        "cdr_token": {"uid": f"SYN-TOKEN-{number:05d}", "type": "RFID", "contract_id": f"BE-SYN-C{number:08d}-X"},
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": location["id"],
            "coordinates": location["coordinates"],
            "evse_uid": evse["uid"],
            "evse_id": evse["evse_id"],
        },
        "currency": "EUR",
        # at most what the slowest post can give
        "total_energy": round((end - begin) / timedelta(hours=1) * chance.uniform(3, 10), 3),
        "total_time": round((end - begin) / timedelta(hours=1), 3),
        "last_updated": _written(end + timedelta(minutes=chance.randrange(1, 600))),
    }


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _location(number: int, evses: int, chance: Random) -> Location:
    party, operator = _PARTIES[number % len(_PARTIES)]
    changed = _changed(chance)
    return {
        **_whose(party, f"SYN-{number:04d}", operator),
        "address": f"Voorbeeldstraat {number}",
        "coordinates": {
            "latitude": f"{chance.uniform(SOUTH, NORTH):.6f}",
            "longitude": f"{chance.uniform(WEST, EAST):.6f}",
        },
        "parking_type": chance.choice(_PARKING),
        **_opening_times(chance.choice(_HOURS), number),
        "evses": [_evse(party, number, place + 1, changed, chance) for place in range(evses)],
        "last_updated": changed,
    }


def _whose(party: str, location_id: str, operator: str) -> Location:
    return {
        "country_code": "BE",
        "party_id": party,
        "id": location_id,
        "publish": True,
        "name": f"Synthetische locatie {location_id}",
        "city": "Kortrijk",
        "postal_code": "8500",
        "country": "BEL",
        "operator": {"name": f"{operator} (synthetisch)"},
        "time_zone": "Europe/Brussels",
    }


def _opening_times(around_the_clock: bool | None, number: int) -> Location:  # noqa: FBT001 - a value, not a switch
    """All hours, nothing said, or closed sometimes: from 8 to 20, on Sundays too or not, or without hours."""
    if around_the_clock is None:
        return {}
    said: Location = {"twentyfourseven": around_the_clock}
    days = (0, 6, 7, 7)[number % 4]
    if not around_the_clock and days:
        said["regular_hours"] = [
            {"weekday": day, "period_begin": "08:00", "period_end": "20:00"} for day in range(1, days + 1)
        ]
    return {"opening_times": said}


def _changed(chance: Random) -> str:
    """A last change within the two years before the demo's clock."""
    return _written(CLOCK - timedelta(minutes=chance.randrange(60, 2 * 365 * 24 * 60)))


def _evse(party: str, number: int, place: int, changed: str, chance: Random) -> Location:
    return {
        "uid": f"SYN-{number:04d}-{place}",
        "evse_id": f"BE*{party}*E{number:05d}*{place}",
        "status": chance.choice(_STATUSES),
        "connectors": [_connector("1", chance.choice(_POWERS), changed)],
        "last_updated": changed,
    }


def _connector(connector_id: str, power: tuple[str, int, int, int | None], changed: str) -> Location:
    power_type, volt, ampere, watt = power
    declared = {} if watt is None else {"max_electric_power": watt}
    return {
        "id": connector_id,
        "standard": "IEC_62196_T2_COMBO" if power_type == "DC" else "IEC_62196_T2",
        "format": "CABLE" if power_type == "DC" else "SOCKET",
        "power_type": power_type,
        "max_voltage": volt,
        "max_amperage": ampere,
        **declared,
        "last_updated": changed,
    }


def _add_not_live(own: list[Location], chance: Random) -> None:
    """Points that are gone or still to come: never counted."""
    for number, location in enumerate(own[5:395:13], start=1):
        evse = _evse(location["party_id"], 9000 + number, 1, location["last_updated"], chance)
        location["evses"].append({**evse, "status": "REMOVED" if number % 2 else "PLANNED"})


def _add_mess(own: list[Location]) -> None:
    """An EVSE that says no status, and a second connector on a kind of current that nobody knows."""
    for number, location in enumerate(own[20:380:60], start=1):
        changed = location["last_updated"]
        bad = {"uid": f"SYN-BAD-{number}", "status": None, "connectors": [], "last_updated": changed}
        location["evses"].append(bad)
    for location in own[30:380:60]:
        wrong = _connector("2", ("AC_9_PHASE", 230, 16, 11_000), location["last_updated"])
        location["evses"][0]["connectors"].append(wrong)


def _republished(own: list[Location]) -> list[Location]:
    """The same EVSEs once more under a hub's own locations, a day older and written with dashes."""
    party, operator = _HUB
    older = _written(CLOCK - timedelta(days=3 * 365))
    return [
        {
            **location,
            **_whose(party, f"HUB-SYN-{number:04d}", operator),
            "evses": [_republished_evse(evse, older) for evse in location["evses"] if evse.get("evse_id")],
            "last_updated": older,
        }
        for number, location in enumerate(own[7:387:19], start=1)
    ]


def _republished_evse(evse: Location, older: str) -> Location:
    dashed = str(evse["evse_id"]).replace("*", "-")
    return {**evse, "uid": f"HUB-{evse['uid']}", "evse_id": dashed, "last_updated": older}


def _unreadable_location(number: int, chance: Random) -> Location:
    location = _location(number, 0, chance)
    return {**location, "coordinates": {"latitude": "150.827000", "longitude": "3.264000"}}


def _swapped_location(number: int, chance: Random) -> Location:
    location = _location(number, 0, chance)
    point = location["coordinates"]
    return {**location, "coordinates": {"latitude": point["longitude"], "longitude": point["latitude"]}}


def _outside(chance: Random) -> list[Location]:
    """Across the border of the municipality, while their address still says Kortrijk."""
    found = [_location(number, 2, chance) for number in range(5001, 5009)]
    for location in found:
        location["coordinates"]["longitude"] = f"{chance.uniform(EAST + 0.01, EAST + 0.06):.6f}"
    return found


def _private(chance: Random) -> list[Location]:
    """Posts of people: never published, or on their driveway."""
    hidden = [{**_location(number, 1, chance), "publish": False} for number in range(6001, 6003)]
    return [*hidden, *({**_location(number, 1, chance), "parking_type": "ON_DRIVEWAY"} for number in range(6003, 6005))]
