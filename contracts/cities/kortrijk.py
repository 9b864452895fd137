"""Kortrijk, the first city and the default."""

from datetime import date

from contracts.cities.profile import City

# The city's own list was not found: these are the days Flemish municipalities usually close beside the
# legal holidays. Replace them by the decision of the college.
_USUAL_CLOSING_DAYS = {
    (7, 11): "Feest van de Vlaamse Gemeenschap",
    (11, 2): "Allerzielen",
    (11, 15): "Koningsdag",
    (12, 26): "Tweede kerstdag",
}

CITY = City(
    name="kortrijk",
    title_nl="Kortrijk",
    area_id="34022",
    time_zone="Europe/Brussels",
    country="BE",
    closing_days={
        date(year, month, day): reason
        for year in range(2010, 2052)
        for (month, day), reason in _USUAL_CLOSING_DAYS.items()
    },
)
