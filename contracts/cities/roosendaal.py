"""Roosendaal (NL): charge points only, to try real Dutch feeds."""

from contracts.cities.profile import City

CITY = City(
    name="roosendaal",
    title_nl="Roosendaal",
    area_id="1674",
    time_zone="Europe/Amsterdam",
    country="NL",
    sources=("charge_points",),
)
