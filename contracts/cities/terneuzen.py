"""Terneuzen (NL): charge points only, to try real Dutch feeds."""

from contracts.cities.profile import City

CITY = City(
    name="terneuzen",
    title_nl="Terneuzen",
    area_id="0715",
    time_zone="Europe/Amsterdam",
    country="NL",
    sources=("charge_points",),
)
