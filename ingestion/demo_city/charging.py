"""Charge points of the demo city, as made-up operators publish them in OCPI 2.2.1."""

from datetime import timedelta
from random import Random
from typing import Any

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
    return [*own, *_republished(own), _unreadable_location(len(own) + 1, chance)]


def _location(number: int, evses: int, chance: Random) -> Location:
    party, operator = _PARTIES[number % len(_PARTIES)]
    changed = _changed(chance)
    return {
        **_whose(party, f"SYN-{number:04d}", operator),
        "address": f"Voorbeeldstraat {number}",
        "coordinates": {
            "latitude": f"{chance.uniform(50.78, 50.87):.6f}",
            "longitude": f"{chance.uniform(3.18, 3.33):.6f}",
        },
        "parking_type": chance.choice(_PARKING),
        **_opening_times(chance.choice(_HOURS)),
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


def _opening_times(around_the_clock: bool | None) -> Location:  # noqa: FBT001 - a value, not a switch
    return {} if around_the_clock is None else {"opening_times": {"twentyfourseven": around_the_clock}}


def _changed(chance: Random) -> str:
    """A last change within the two years before the demo's clock."""
    return (CLOCK - timedelta(minutes=chance.randrange(60, 2 * 365 * 24 * 60))).strftime("%Y-%m-%dT%H:%M:%SZ")


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
    """A status outside the list, and kilowatt sent as watt on a second connector."""
    for number, location in enumerate(own[20:380:60], start=1):
        changed = location["last_updated"]
        bad = {"uid": f"SYN-BAD-{number}", "status": "OCCUPIED", "connectors": [], "last_updated": changed}
        location["evses"].append(bad)
    for location in own[30:380:60]:
        wrong = _connector("2", ("AC_3_PHASE", 230, 16, 11), location["last_updated"])
        location["evses"][0]["connectors"].append(wrong)


def _republished(own: list[Location]) -> list[Location]:
    """The same EVSEs once more under a hub's own locations, a day older and written with dashes."""
    party, operator = _HUB
    older = (CLOCK - timedelta(days=3 * 365)).strftime("%Y-%m-%dT%H:%M:%SZ")
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
